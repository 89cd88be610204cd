import Distillation

/// The keys that not every method uses.
enum MethodKeys {
    private static let alignment: Set<String> = ["trajectory.online_alignment"]
    private static let reuse: Set<String> = ["trajectory.reuse"]
    private static let places: Set<String> = ["training.places"]
    private static let probabilities: Set<String> = ["training.segment_probabilities"]
    private static let stages: Set<String> = ["training.stage_steps"]
    private static let segmentStages: Set<String> = ["training.stages"]
    private static let huber: Set<String> = ["training.huber"]
    private static let matching: Set<String> = ["training.matching_weight"]
    private static let judged: Set<String> = ["discriminator.states", "discriminator.renoise"]
    private static let featureMatching: Set<String> = ["training.feature_matching_weight"]
    private static let adversarialStart: Set<String> = ["training.adversarial_start_step"]
    private static let timeScales: Set<String> = ["training.critic_steps"]
    private static let criticOptimizer: Set<String> = [
        "training.discriminator_optimizer", "training.discriminator_learning_rate",
        "training.discriminator_betas", "training.discriminator_weight_decay",
        "training.discriminator_gradient_clip", "training.discriminator_warmup_steps",
        "training.discriminator_decay_steps",
    ]
    private static let discriminator: Set<String> = criticOptimizer.union([
        "discriminator.depth", "discriminator.head", "discriminator.mode", "discriminator.rank",
        "discriminator.loss", "discriminator.r1_weight", "training.adversarial_weight",
    ])

    private static func used(by method: Method) -> [Set<String>] {
        switch method {
        case .flowsteer:
            [
                alignment, reuse, places, probabilities, stages, discriminator, featureMatching,
                adversarialStart, judged,
            ]
        case .perflow: [reuse, places, probabilities]
        case .reflow: []
        case .consistency: [huber]
        case .pcm: [huber, discriminator, featureMatching, adversarialStart]
        case .hyperSD: [huber, segmentStages, stages, discriminator, adversarialStart]
        case .flash: [probabilities, stages, matching, discriminator]
        case .dmd: [timeScales, criticOptimizer]
        case .ladd: [probabilities, stages, discriminator]
        }
    }

    private static let all: [Set<String>] = [
        alignment, reuse, places, probabilities, stages, segmentStages, huber, matching, featureMatching,
        adversarialStart, timeScales, discriminator, judged,
    ]

    /// The keys whose values were chosen for one method and say nothing about another: all but those that go by the
    /// teacher's size.
    static let foreign = Set(all.joined()).subtracting(criticOptimizer).subtracting(["discriminator.depth"])

    /// The keys that mean nothing to a method.
    static func unused(by method: Method) -> Set<String> {
        Set(all.joined()).subtracting(used(by: method).joined())
    }

    /// The methods that use a key.
    static func users(of key: String) -> [Method] {
        Method.allCases.filter { used(by: $0).contains { $0.contains(key) } }
    }
}
