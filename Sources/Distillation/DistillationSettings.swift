package import DiffusionModels
package import FlowMatching
package import NeuralNetwork
package import Tensors

/// How trajectories are made.
package struct TrajectorySettings: Sendable, Codable, Equatable {
    /// Which states a trajectory keeps.
    package enum Reuse: String, Sendable, Codable, CaseIterable {
        /// One solve from noise to data gives all K segments a start and an end.
        case trajectory
        /// One segment is drawn a batch; the teacher rolls only as far as its end (the paper's wording).
        case segment
    }

    /// What of a trajectory a method trains on.
    package enum Span: String, Sendable, Codable, CaseIterable {
        /// Each segment from its start to its end.
        case segment
        /// The whole trajectory, from noise to data.
        case whole
        /// From a segment's start to data.
        case toData
    }

    /// K, the steps of the student.
    package var segments = 4
    /// M, the teacher's steps inside a segment.
    package var stepsPerSegment = 8
    package var schedule = ScheduleKind.rectified
    /// Online Trajectory Alignment: segments start on the teacher's own trajectory.
    ///
    /// Off, they start at clean latents mixed with noise, as in PeRFlow.
    package var onlineAlignment = true
    package var reuse = Reuse.trajectory
    package var span = Span.segment
    /// Guidance scales are drawn from this range, one a sample (diffusers' convention: 1 is no guidance).
    package var guidance: ClosedRange<Float> = 7...13
    /// The prompt of the unconditional branch.
    package var negativePrompt = ""
    /// Of products with the teacher's weights.
    package var precision = Precision.float32

    package init() {}

    /// Segments that a batch of trajectories holds.
    package var segmentsHeld: Int { span == .whole || reuse == .segment ? 1 : segments }

    /// States of each sample that a batch of trajectories holds: segments that follow one another share theirs.
    package var statesHeld: Int { onlineAlignment ? segmentsHeld + 1 : 2 * segmentsHeld }
}

/// What a student and its critic are made of.
package struct NetworkSettings: Sendable, Codable, Equatable {
    /// What is trained beside the student.
    package enum Critic: String, Sendable, Codable {
        case discriminator
        case velocity
        /// Nothing.
        case none
    }

    package var critic = Critic.discriminator
    /// What of the student is trained; with all weights, rank and targets are a fake-velocity network's alone.
    package var student = Student.Mode.lora
    /// Rank of the student's adapters, and of a fake-velocity network's; alpha is the same.
    package var rank = 64
    /// Names, or ends of names, of the linear maps that get adapters.
    package var targets = [
        "to_q", "to_k", "to_v", "to_out.0", "add_q_proj", "add_k_proj", "add_v_proj", "to_add_out",
        "ff.net.0.proj", "ff.net.2", "ff_context.net.0.proj", "ff_context.net.2", "norm1.linear",
        "norm1_context.linear",
    ]
    /// A file of adapters that the student begins with; nil begins with the teacher.
    package var initialAdaptersPath: String?
    /// Of products with the weights that stay frozen.
    package var precision = Precision.float32
    package var discriminator = DiscriminatorShape()
    /// Gradient checkpointing: training keeps the blocks' inputs alone and computes the blocks twice.
    package var recomputesBlocks = false

    package init() {}
}

/// How a student is trained.
package struct TrainingSettings: Sendable, Codable, Equatable {
    /// Where in a segment the student is asked for its velocity.
    package enum Places: String, Sendable, Codable, CaseIterable {
        /// Anywhere, evenly: the student's path inside a segment is straight too.
        case uniform
        /// At the segment's start alone, the only place that K-step sampling visits.
        case start
    }

    package var method = Method.flowsteer
    /// Which states of the student's a discriminator judges.
    package enum States: String, Sendable, Codable, CaseIterable {
        /// One step from where the teacher's segment starts.
        case segment
        /// One step from where the student's own steps from noise arrive; only the last one is learned from.
        case rollout
    }

    /// Samples an update sees; lanes take them through the networks a few at a time, so memory does not grow with it.
    package var batchSize = 2
    /// Probability of each segment, the first starting at noise (paper, table 6).
    package var segmentProbabilities: [Float] = [0.4, 0.2, 0.2, 0.2]
    package var places = Places.uniform
    package var optimizer = AdamW.Settings(learningRate: 1e-5)
    package var discriminatorOptimizer = AdamW.Settings(learningRate: 1e-5, beta1: 0)
    package var adversarialLoss = AdversarialLoss.hinge
    /// λ of the adversarial loss; 0 with ``featureMatchingWeight`` 0 leaves the discriminator out.
    package var adversarialWeight: Float = 0.1
    /// λ of feature matching.
    package var featureMatchingWeight: Float = 1
    package var states = States.segment
    /// Judged states are moved to a noise level drawn evenly within their segment first.
    package var renoisesJudged = false
    /// λ of the discriminator's approximate R1 penalty; 0 leaves it out.
    package var penaltyWeight: Float = 0
    /// Of the running mean of the student's parameters, an update; 0 keeps none.
    package var averageDecay: Float = 0
    /// λ of distribution matching, beside another loss.
    package var matchingWeight: Float = 0.7
    /// Where the pseudo-Huber distance of consistency turns from quadratic to absolute.
    package var huber: Float = 1e-3
    /// Segments of the stages of trajectory-segmented consistency.
    package var stages = [8, 4, 2, 1]
    /// Updates of each stage but the last; 0 begins with the last.
    package var stageSteps = 0
    /// Updates of the fake-velocity network for one of the student.
    package var criticSteps = 5
    /// The optimizers' moments, and what a round begins with, lie in files that the system pages.
    package var pagesOptimizerState = false
    /// Update from which the discriminator takes part.
    package var adversarialStartStep = 0

    package init() {}

    /// The stage of update `step`, of `count`.
    package func stage(step: Int, of count: Int) -> Int {
        stageSteps == 0 ? count - 1 : min(step / stageSteps, count - 1)
    }

    /// Probabilities of the segments in the stages before the last, for four segments (Flash Diffusion's SD3
    /// configuration): late segments first, as they are easier.
    private static let earlyProbabilities: [[Float]] = [
        [0, 0, 0.5, 0.5], [0.1, 0.3, 0.3, 0.3], [0.25, 0.25, 0.25, 0.25],
    ]

    /// Probabilities that update `step` draws its segments by.
    package func segmentProbabilities(step: Int) -> [Float] {
        let early = Self.earlyProbabilities
        let stage = stage(step: step, of: early.count + 1)
        guard stage < early.count, segmentProbabilities.count == early[stage].count else {
            return segmentProbabilities
        }
        return early[stage]
    }

    /// True when the discriminator takes part in update `step`, counted from 0.
    package func isAdversarial(step: Int) -> Bool {
        (adversarialWeight > 0 || featureMatchingWeight > 0) && step >= adversarialStartStep
    }
}
