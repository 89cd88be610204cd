package import Tensors

/// How often the scene score is right about pictures that are known to show their caption.
package struct SceneReliability: Codable, Sendable, Hashable {
    /// One disturbance of all pictures.
    package struct Row: Codable, Sendable, Hashable {
        package let disturbance: String
        package let score: SceneScore
        /// The share of pictures in which exactly the drawn sprites were found, at their places to the pixel.
        package let exactShare: Double
    }

    package let rows: [Row]

    /// From clean to hardly legible.
    package static let disturbances: [SceneDisturbance] =
        [.none] + [0.5, 1, 1.5, 2].map { .blur($0) } + [0.25, 0.5, 1, 1.5].map { .noise($0) }

    /// Draws scenes of held-out captions, disturbs them, and reads them.
    ///
    /// - Parameters:
    ///   - count: scenes, the six tasks in turn.
    ///   - seed: decides captions, places and noise.
    package init(
        of atlas: SpriteAtlas,
        disturbances: [SceneDisturbance] = Self.disturbances,
        count: Int,
        seed: UInt64,
        on pool: LanePool
    ) throws(EvaluationError) {
        let scenes = try SceneCaptions(atlas.catalog).heldOut(count: count, seed: seed).enumerated().map {
            var stream = RandomStream(key: seed ^ Self.placing, stream: UInt64($0))
            return Scene($1, placedBy: &stream)
        }
        let reader = SceneReader(atlas)
        let pictures = scenes.map { atlas.paint($0.placements) }
        rows = disturbances.map { disturbance in
            let disturbed = pictures.enumerated().map { index, picture in
                var stream = RandomStream(key: seed ^ Self.disturbing, stream: UInt64(index))
                return disturbance.applied(to: picture, from: &stream)
            }
            let seen = reader.read(.stacked(disturbed), on: pool).map { $0.map(\.placement) }
            let exact = zip(scenes, seen).count {
                $0.placements.count == $1.count && Set($0.placements) == Set($1)
            }
            return Row(
                disturbance: disturbance.name,
                score: SceneScore(zip(scenes, seen).map { ($0.caption, $0.caption.isShown(by: $1)) }),
                exactShare: Double(exact) / Double(max(1, scenes.count))
            )
        }
    }

    private static let placing: UInt64 = 0x706C_6163_696E_6700
    private static let disturbing: UInt64 = 0x6469_7374_7572_6200

    /// A line a disturbance, for a terminal.
    package var plainText: String { table.plainText }

    /// A table in Markdown.
    package var markdown: String { table.markdown }

    private var table: TextTable {
        func percent(_ share: Double) -> String {
            let tenths = Int((share * 1000).rounded())
            return "\(tenths / 10).\(tenths % 10)"
        }
        return TextTable(
            header: ["scenes, %"] + SceneTask.allCases.map(\.rawValue) + ["overall", "all in place"],
            rows: rows.map { row in
                [row.disturbance]
                    + SceneTask.allCases.map { task in
                        row.score.tasks.first { $0.task == task }.map { percent($0.share) } ?? ""
                    } + [percent(row.score.overall), percent(row.exactShare)]
            }
        )
    }
}
