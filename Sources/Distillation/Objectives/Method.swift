import DiffusionModels
import FlowMatching

/// The way a student is distilled: what rollouts solve, what trainers minimise, and how the student is sampled.
///
/// Each has a file of its own with its objective and its source.
package enum Method: String, Sendable, Codable, CaseIterable {
    case flowsteer
    case perflow
    case reflow
    case consistency
    case pcm
    case hyperSD = "hyper-sd"
    case flash
    case dmd
    case ladd
}

extension Method {
    /// What a method starts from where nothing else is stated.
    package func applyDefaults(
        trajectory: inout TrajectorySettings,
        network: inout NetworkSettings,
        training: inout TrainingSettings
    ) {
        training.method = self
        trajectory.span = span
        switch self {
        case .flowsteer: break
        case .perflow:
            trajectory.onlineAlignment = false
            trajectory.guidance = 7.5...7.5
            training.segmentProbabilities = [0.25, 0.25, 0.25, 0.25]
            network.critic = .none
        case .reflow, .consistency: network.critic = .none
        case .pcm:
            trajectory.guidance = 4...4
            training.featureMatchingWeight = 0
            network.discriminator.heads = .every
            network.discriminator.mode = .frozen
        case .hyperSD:
            network.discriminator.heads = .every
            network.discriminator.mode = .frozen
        case .flash:
            trajectory.onlineAlignment = false
            network.discriminator.mode = .frozen
            training.adversarialLoss = .lsgan
            training.adversarialWeight = 0.5
        case .dmd: network.critic = .velocity
        case .ladd:
            network.discriminator.heads = .every
            network.discriminator.mode = .frozen
            training.segmentProbabilities = [0.7, 0.1, 0.1, 0.1]
            training.adversarialWeight = 1
        }
    }

    /// What of a trajectory trainers get.
    private var span: TrajectorySettings.Span {
        switch self {
        case .flowsteer, .perflow: .segment
        case .reflow, .consistency, .pcm, .hyperSD, .dmd, .ladd: .whole
        case .flash: .toData
        }
    }

    /// How many times a stage's updates make a run where nothing else is stated; nil for methods without stages then.
    package var stagesInARun: Int? {
        switch self {
        case .hyperSD, .flash: 4
        case .ladd: 40  // 500 of 20 000 updates
        case .flowsteer, .perflow, .reflow, .consistency, .pcm, .dmd: nil
        }
    }

    /// How the student is sampled.
    package func samplingRule(_ training: TrainingSettings, segments: Int) -> SamplingRule {
        switch self {
        case .flowsteer, .perflow, .reflow: .euler
        case .pcm: .jumps(segments: segments)
        case .hyperSD: .jumps(segments: training.stages.last ?? 1)
        case .consistency, .flash, .dmd, .ladd: .jumps(segments: 1)
        }
    }

    /// Whether trainers ask the teacher for velocities.
    package var asksTeacher: Bool {
        switch self {
        case .consistency, .pcm, .hyperSD, .flash, .dmd: true
        case .flowsteer, .perflow, .reflow, .ladd: false
        }
    }

    /// What trainers minimise; `teaching` is the teacher of methods that ask it while the student trains.
    package func makeObjective(
        _ networks: TrainableNetworks,
        settings: TrainingSettings,
        teaching: Teaching?
    ) -> any Objective {
        switch (self, teaching, networks.critic) {
        case (.flowsteer, _, .discriminator(let discriminator)):
            FlowSteer(
                settings: settings,
                game: AdversarialGame(
                    discriminator,
                    settings,
                    featureMatchingWeight: settings.featureMatchingWeight
                ),
                edges: teaching?.grid.edges
            )
        case (.perflow, _, _): PeRFlow(places: settings.places)
        case (.reflow, _, _): ReFlow()
        case (.consistency, let teaching?, _):
            Consistency(consistency: PhasedConsistency(teaching: teaching, huber: settings.huber))
        case (.pcm, let teaching?, .discriminator(let discriminator)):
            PCM(
                settings: settings,
                consistency: PhasedConsistency(teaching: teaching, huber: settings.huber),
                game: AdversarialGame(
                    discriminator,
                    settings,
                    featureMatchingWeight: settings.featureMatchingWeight
                )
            )
        case (.hyperSD, let teaching?, .discriminator(let discriminator)):
            HyperSD(
                settings: settings,
                consistency: PhasedConsistency(teaching: teaching, huber: settings.huber),
                game: AdversarialGame(discriminator, settings)
            )
        case (.flash, let teaching?, .discriminator(let discriminator)):
            Flash(
                settings: settings,
                matching: DistributionMatching(teaching: teaching),
                game: AdversarialGame(discriminator, settings),
                shift: teaching.shift
            )
        case (.dmd, let teaching?, .velocity(let fake, _)):
            DMD(settings: settings, matching: DistributionMatching(teaching: teaching), fake: fake)
        case (.ladd, let teaching?, .discriminator(let discriminator)):
            LADD(
                settings: settings,
                grid: teaching.grid,
                game: AdversarialGame(discriminator, settings)
            )
        default: preconditionFailure("\(rawValue) without a teacher, or with a critic of another kind")
        }
    }
}
