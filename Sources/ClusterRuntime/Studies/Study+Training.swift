import DiffusionModels
import Distillation
import FlowMatching

// MARK: - Studies whose students are trained

extension Study {
    /// What makes two runs of one seed the same student, byte for byte, whatever stops them on the way.
    private static let ordered = [
        "cluster.assignment=ordered", "cluster.averaging.moments_period=1",
        "cluster.averaging.exchange=float32", "cluster.quorum=1", "cluster.grace=3600",
    ]

    /// A student's row: trained as `overrides` say, on top of the base and of what all rows share.
    private static func student(
        _ label: String,
        of configuration: RunConfiguration,
        _ size: StudySize,
        method: Method = .flowsteer,
        _ overrides: [String] = []
    ) -> Row {
        let shared = ["method=\(method.rawValue)"] + size.overrides(of: configuration, for: method) + ordered
        return Row(label: label, work: .distil(Training(run: label, overrides: shared + overrides)))
    }

    /// The teacher in many steps and in as few as the student takes, guided; nothing of it is trained.
    private static func teachers(of configuration: RunConfiguration) -> [Row] {
        let (steps, guidance) = (configuration.trajectory.segments, configuration.evaluation.guidance)
        return [
            Row(
                label: "teacher, \(StudentEvaluation.referenceSteps) guided steps",
                work: .draw(.resume(step: 0, guidance: guidance))
            ),
            Row(
                label: "teacher, \(steps) guided steps",
                work: .draw(.sample(.rectified, steps: steps))
            ),
        ]
    }

    /// What is equal between the rows.
    private static func equal(_ configuration: RunConfiguration, _ size: StudySize) -> String {
        let samples = size.samples(of: configuration)
        let training =
            switch size.equality {
            case .samples: "Each student is trained on \(samples) samples from the same prompts and noise"
            case .evaluations:
                """
                Each student is trained for as many evaluations of networks as \(configuration.training.method.rawValue)
                asks for \(samples) samples, to whole updates, from the same prompts and noise
                """
            }
        return """
            \(training), by one
            rollout and one trainer: that is what is equal. The evaluations of networks it took are in the table of
            training; a guided one counts as two, with and without gradients alike.
            """
    }

    /// Each of FlowSteer's three parts alone on PeRFlow, and all of them.
    static func ablation(of configuration: RunConfiguration, _ size: StudySize) -> Study {
        func row(_ label: String, aligned: Bool = false, judged: Bool = false, rectified: Bool = false) -> Row
        {
            let switches =
                [
                    "trajectory.online_alignment=\(aligned)",
                    "trajectory.schedule=\((rectified ? ScheduleKind.rectified : .stock).rawValue)",
                ] + (judged ? [] : withoutDiscriminator)
            return student(label, of: configuration, size, switches)
        }
        return Study(
            name: .ablation,
            summary: """
                FlowSteer's parts, each alone on PeRFlow, and all of them (the paper's table 5): online trajectory
                alignment (OTA), the discriminator with feature matching, and the rectified schedule in place of the
                stock one. All else is the configuration's, the same in every row. \(equal(configuration, size))
                """,
            rows: teachers(of: configuration) + [
                row("PeRFlow"),
                row("PeRFlow + OTA", aligned: true),
                row("PeRFlow + adversarial", judged: true),
                row("PeRFlow + scheduler", rectified: true),
                row("FlowSteer", aligned: true, judged: true, rectified: true),
            ]
        )
    }

    private static let withoutDiscriminator = [
        "training.adversarial_weight=0", "training.feature_matching_weight=0",
    ]

    /// All methods, as they come.
    static func main(of configuration: RunConfiguration, _ size: StudySize) -> Study {
        Study(
            name: .main,
            summary: """
                Every method with its own defaults under the configuration's networks and optimizers (the paper's
                main table). \(equal(configuration, size))
                """,
            rows: teachers(of: configuration)
                + Method.allCases.map { student($0.rawValue, of: configuration, size, method: $0) }
        )
    }

    /// What the discriminator is, a change at a time.
    static func discriminator(of configuration: RunConfiguration, _ size: StudySize) -> Study {
        let shape = configuration.network.discriminator
        let depths = [shape.depth / 2, 2 * shape.depth].filter { $0 > 0 }.map { "depth=\($0)" }
        let heads = DiscriminatorShape.Heads.allCases.filter { $0 != shape.heads }.map {
            "head=\($0.rawValue)"
        }
        let modes = DiscriminatorShape.Mode.allCases.filter { $0 != shape.mode }.map { "mode=\($0.rawValue)" }
        let own = ["depth=\(shape.depth)", "head=\(shape.heads.rawValue)", "mode=\(shape.mode.rawValue)"]
        func row(_ label: String, _ change: String? = nil) -> Row {
            let shape = (own + (change.map { [$0] } ?? [])).map { "discriminator.\($0)" }
            return student(label, of: configuration, size, shape)
        }
        let changed = (depths + heads + modes).map { row($0, $0) }
        let none = student("none", of: configuration, size, withoutDiscriminator)
        return Study(
            name: .discriminator,
            summary: """
                FlowSteer with other discriminators (the paper's table 4): of the teacher's first blocks, with a head
                after the last or after each, trained whole, by adapters or not at all. The first row is the
                configuration's; each other row changes what it says. \(equal(configuration, size))
                """,
            rows: teachers(of: configuration) + [row(own.joined(separator: ", "))] + changed + [none]
        )
    }

    /// Students for fewer and more steps, and one student in other steps than its own.
    static func steps(of configuration: RunConfiguration, _ size: StudySize) -> Study {
        let (own, fine) = (
            configuration.trajectory.segments,
            configuration.trajectory.segments * configuration.trajectory.stepsPerSegment
        )
        let counts = [1, 2, 4, 8].filter { fine.isMultiple(of: $0) }
        func label(_ count: Int) -> String { "trained for \(count)" }
        let trained = counts.map { count in
            // The paper's .4, .2, .2, .2: the segment at noise twice as often as any other.
            let probabilities = (0..<count).map { "\(Float($0 == 0 ? 2 : 1) / Float(count + 1))" }
            let segments = [
                "trajectory.segments=\(count)", "trajectory.steps_per_segment=\(fine / count)",
                "training.segment_probabilities=[\(probabilities.joined(separator: ", "))]",
            ]
            return student(label(count), of: configuration, size, segments)
        }
        let resampled = trained.first { $0.label == label(own) }.map { row in
            counts.filter { $0 != own }.compactMap { count -> Row? in
                guard case .distil(var training) = row.work else { return nil }
                training.steps = count
                return Row(label: "\(row.label), sampled in \(count)", work: .distil(training))
            }
        }
        return Study(
            name: .steps,
            summary: """
                FlowSteer's students for K = 1, 2, 4 and 8 steps on the teacher's \(fine), as far as they divide those,
                and the student for \(own) in other numbers of steps; the paper has four alone. In every row the
                segment at noise is drawn twice as often as any other. \(equal(configuration, size))
                """,
            rows: teachers(of: configuration) + trained + (resampled ?? [])
        )
    }
}

// MARK: - Rows' own settings

extension Study {
    /// The study with further overrides of one row's training, above those it has; nil where no student of that name is
    /// trained.
    package func adding(_ overrides: [String], to name: String) -> Study? {
        var isTrained = false
        let rows = rows.map { row in
            guard case .distil(let training) = row.work, training.run == name else { return row }
            isTrained = true
            let more = Training(
                run: training.run,
                overrides: training.overrides + overrides,
                steps: training.steps
            )
            return Row(label: row.label, work: .distil(more))
        }
        return isTrained ? Study(name: self.name, summary: summary, rows: rows) : nil
    }

    /// What the students that are trained are called, and the overrides they are trained with.
    package var trained: [(name: String, overrides: [String])] {
        rows.compactMap { row in
            guard case .distil(let training) = row.work, training.run == row.label else { return nil }
            return (training.run, training.overrides)
        }
    }
    /// The study that also tells the floating-point operations of its runs whose costs are counted.
    ///
    /// - Parameters:
    ///   - resolve: the configuration that overrides make of the base, `group.key=value`.
    ///   - operations: of a run.
    package func counting(
        resolve: ([String]) throws -> RunConfiguration,
        operations: (RunConfiguration) throws -> Operations
    ) rethrows -> Study {
        let rows = try rows.map { row in
            guard case .train(let overrides, _) = row.work else { return row }
            let counted = try operations(try resolve(overrides))
            return Row(label: row.label, work: .train(overrides: overrides, operations: counted))
        }
        return Study(name: name, summary: summary, rows: rows)
    }
}
