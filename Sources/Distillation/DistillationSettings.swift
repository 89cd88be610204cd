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
    /// Guidance scales are drawn from this range, one a sample (diffusers' convention: 1 is no guidance).
    package var guidance: ClosedRange<Float> = 7...13
    /// The prompt of the unconditional branch.
    package var negativePrompt = ""
    /// Of products with the teacher's weights.
    package var precision = Precision.float32

    package init() {}
}

/// What a student and its discriminator are made of.
package struct NetworkSettings: Sendable, Codable, Equatable {
    /// Rank of the student's adapters; alpha is the same.
    package var rank = 64
    /// Names, or ends of names, of the linear maps that get adapters.
    package var targets = [
        "to_q", "to_k", "to_v", "to_out.0", "add_q_proj", "add_k_proj", "add_v_proj", "to_add_out",
        "ff.net.0.proj", "ff.net.2", "ff_context.net.0.proj", "ff_context.net.2", "norm1.linear",
        "norm1_context.linear",
    ]
    /// A file of adapters that the student begins with; nil begins with the teacher.
    package var initialAdaptersPath: String?
    /// Of products with the weights that the student's adapters add to.
    package var precision = Precision.float32
    /// Blocks of the teacher that the discriminator takes over.
    package var discriminatorDepth = 12
    /// Gradient checkpointing: training keeps the blocks' inputs alone and computes the blocks twice.
    package var recomputesBlocks = false

    package init() {}
}

/// How a student is trained on trajectories.
package struct TrainingSettings: Sendable, Codable, Equatable {
    /// Where in a segment the student is asked for its velocity.
    package enum Places: String, Sendable, Codable, CaseIterable {
        /// Anywhere, evenly: the student's path inside a segment is straight too.
        case uniform
        /// At the segment's start alone, the only place that K-step sampling visits.
        case start
    }

    /// Samples an update sees.
    package var batchSize = 2
    /// Probability of each segment, the first starting at noise (paper, table 6).
    package var segmentProbabilities: [Float] = [0.4, 0.2, 0.2, 0.2]
    package var places = Places.uniform
    package var optimizer = AdamW.Settings(learningRate: 1e-5)
    package var discriminatorOptimizer = AdamW.Settings(learningRate: 1e-5, beta1: 0)
    /// λ of the adversarial loss; 0 with ``featureMatchingWeight`` 0 leaves the discriminator out.
    package var adversarialWeight: Float = 0.1
    /// λ of feature matching.
    package var featureMatchingWeight: Float = 1
    /// The optimizers' moments, and what a round begins with, lie in files that the system pages.
    package var pagesOptimizerState = false
    /// Update from which the discriminator takes part.
    package var adversarialStartStep = 0

    package init() {}

    /// True when the discriminator takes part in update `step`, counted from 0.
    package func isAdversarial(step: Int) -> Bool {
        (adversarialWeight > 0 || featureMatchingWeight > 0) && step >= adversarialStartStep
    }
}
