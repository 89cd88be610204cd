import Distillation
import FlowMatching

/// Configurations that are compared with each other, and what the comparison is about.
package struct Study: Sendable {
    /// The studies there are.
    package enum Name: String, Sendable, CaseIterable, Codable {
        case scheduler
        case mismatch
        case compute
        case ablation
        case main
        case discriminator
        case steps

        /// Whether students are trained and their pictures measured.
        package var measuresStudents: Bool {
            switch self {
            case .scheduler, .mismatch, .compute: false
            case .ablation, .main, .discriminator, .steps: true
            }
        }
    }

    /// One line of a study's table.
    struct Row: Codable, Sendable, Equatable {
        let label: String
        let work: Work
    }

    /// What is measured of a row.
    enum Work: Codable, Sendable, Equatable {
        /// Pictures of the teacher.
        case draw(Drawing)
        /// A run on this machine whose costs are counted, with these overrides of the base, `group.key=value`.
        case train(overrides: [String], operations: Operations? = nil)
        /// A student that is trained on this machine and then measured.
        case distil(Training)
    }

    /// Floating-point operations of a run's matrix products, by formula.
    package struct Operations: Codable, Sendable, Equatable {
        /// Of one evaluation of the teacher for a sample.
        let evaluation: Double
        /// Of a trainer for a sample, the mean over the run.
        let sample: Double

        /// Takes what was computed elsewhere.
        package init(evaluation: Double, sample: Double) {
            self.evaluation = evaluation
            self.sample = sample
        }
    }

    /// The training of a student.
    struct Training: Codable, Sendable, Equatable {
        /// Rows that name the same run measure one student.
        let run: String
        /// Of the base, `group.key=value`.
        let overrides: [String]
        /// Steps it is sampled in; nil takes those it was trained for.
        var steps: Int?
    }

    /// How the teacher's pictures come about.
    enum Drawing: Codable, Sendable, Equatable {
        /// From noise to data, at the configuration's guidance.
        case sample(ScheduleKind, steps: Int)
        /// With this guidance from step `step` of the reference on, or from noise.
        ///
        /// It starts at the teacher's own clean picture mixed with fresh noise, as off-trajectory segments do.
        case resume(step: Int, guidance: Float)
    }

    package let name: Name
    /// What is compared, for the table's head.
    let summary: String
    let rows: [Row]
}

extension Study {
    /// A study by its name, on a base configuration.
    ///
    /// - Parameter size: of the runs of studies whose students are measured.
    package init(_ name: Name, of configuration: RunConfiguration, size: StudySize = StudySize()) {
        switch name {
        case .ablation: self = .ablation(of: configuration, size)
        case .main: self = .main(of: configuration, size)
        case .discriminator: self = .discriminator(of: configuration, size)
        case .steps: self = .steps(of: configuration, size)
        case .scheduler:
            let guidance = configuration.evaluation.guidance
            self = Study(
                name: name,
                summary: """
                    The undistilled teacher at guidance \(guidance) in N steps of either schedule (the paper's table 2).
                    """,
                rows: Self.schedulerRows
            )
        case .mismatch:
            self = Study(
                name: name,
                summary: """
                    The teacher's \(StudentEvaluation.referenceSteps) steps, whole, and gone on with from its own clean
                    picture mixed with fresh noise at the start of a segment (the paper's table 1). Gone on with from its
                    own state it ends where the whole trajectory does, bit for bit, so that row stands for every segment.
                    Distances are to the teacher of the same guidance.
                    """,
                rows: Self.mismatchRows(segments: configuration.trajectory.segments)
            )
        case .compute:
            self = Study(
                name: name,
                summary: """
                    What every method evaluates and takes, from one round of \(Self.computeSteps) updates each with all its
                    parts at work, one rollout and one trainer, \(configuration.training.batchSize) samples an update; the
                    paper gives no such figures. A guided evaluation of the teacher counts as two; evaluations in trainers
                    are with and without gradients. A trajectory serves \(configuration.maxUses) samples. Operations are those
                    of matrix products, by formula, two for a multiplication and an addition. Milliseconds are of
                    computing alone; peak memory is the process's.
                    """,
                rows: Self.computeRows
            )
        }
    }

    private static var schedulerRows: [Row] {
        [1, 2, 4, 8, 20, 28].flatMap { steps in
            [ScheduleKind.stock, .rectified].map { kind in
                Row(label: "\(kind.rawValue), N = \(steps)", work: .draw(.sample(kind, steps: steps)))
            }
        }
    }

    /// Updates of a run that only counts: four stages and four times critic steps go into them.
    private static let computeSteps = 20

    private static var computeRows: [Row] {
        let start = "training.adversarial_start_step"
        return Method.allCases.map { method in
            let late = MethodKeys.users(of: start).contains(method) ? ["\(start)=0"] : []
            let overrides =
                [
                    "method=\(method.rawValue)", "training.rounds=1", "training.local_steps=\(computeSteps)",
                    "evaluation.prompts=1",
                ] + late
            return Row(label: method.rawValue, work: .train(overrides: overrides))
        }
    }

    /// - Parameter segments: of the student; where they do not divide the reference's steps, as many below as do.
    private static func mismatchRows(segments: Int) -> [Row] {
        let steps = StudentEvaluation.referenceSteps
        let count = (1...max(1, min(segments, steps))).last { steps.isMultiple(of: $0) } ?? 1
        return ([1, 3, 5] as [Float]).flatMap { guidance in
            (0..<count).map { segment in
                let states = segment == 0 ? "authentic" : "interpolated, segment \(segment + 1) of \(count)"
                return Row(
                    label: "w = \(Int(guidance)), \(states)",
                    work: .draw(.resume(step: segment * steps / count, guidance: guidance))
                )
            }
        }
    }
}
