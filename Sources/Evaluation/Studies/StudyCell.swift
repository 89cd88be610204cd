/// What a study found of one configuration with one seed.
package struct StudyCell: Codable, Sendable, Equatable {
    /// A number under the name of what was measured.
    package struct Figure: Codable, Sendable, Equatable {
        package let metric: String
        package let value: Double

        package init(_ metric: String, _ value: Double) {
            self.metric = metric
            self.value = value
        }
    }

    /// The configuration's label.
    package let row: String
    package let seed: UInt64
    package let figures: [Figure]

    package init(row: String, seed: UInt64, figures: [Figure]) {
        self.row = row
        self.seed = seed
        self.figures = figures
    }
}

extension StudyCell.Figure {
    /// Begins the names of what training took, as other figures are of the student's pictures.
    package static let trainingPrefix = "training, "

    /// What an evaluation's row says: only what was measured.
    package static func all(of row: EvaluationRow) -> [Self] {
        let distances = [
            row.frechetDistance.map { Self("Fréchet distance", $0) },
            row.diversity.map { Self("diversity", $0.mean) },
        ]
        let score = row.sceneScore.map { score in
            [Self("scene score", score.overall)] + score.tasks.map { Self($0.task.rawValue, $0.share) }
        }
        return [
            Self("evaluations", Double(row.functionEvaluations)),
            Self("distance to teacher", row.distanceToTeacher.mean),
        ] + distances.compactMap(\.self) + (score ?? [])
    }
}
