import ClusterMessages
import Coordination
package import DiffusionModels
package import Distillation
import NeuralNetwork
import Tensors

/// What a run will need, by role: memory, disk, wire and time, before anything of it is started.
///
/// These are the formulas, and this is their only place. Letters, all in numbers of four bytes unless they say bytes:
///
/// | letter | what it is |
/// |---|---|
/// | `W` | weights of the teacher's transformer that are read as they stand, without the table of positions, of which a picture reads its own; files of 32-bit floats are mapped, others widened |
/// | `P` | the linear maps, which `W` then leaves out, laid out for products: 1 of each number, in trainers 2; none beyond 2²⁶; in bf16 ½ |
/// | `A`, `D` | what the student trains, adapters or weights, and critic, where there is one, `N = A + D` |
/// | `U` | bytes of moments: 8 a parameter, 2.03 with `adamw8bit` |
/// | `S` | what rounds commit: `N`, `2 N` of moments unless `cluster.averaging.moments_period` is 0, `A` of a running mean |
/// | `O` | bytes of an offer: `4 S`; float16 and int8 write `N` with 2 and 1⅛ bytes |
/// | `B`, `E` | bytes of a batch: `4 · states · samples · latents`, and of its encoded prompts; states are K + 1 of K segments on the teacher's trajectory, 2 K of segments by themselves, 2 of whole trajectories |
/// | `L`, `a` | lanes at work, and the bytes of one's activations (`ActivationMemory` of the benchmarks); the first lane encodes prompts as well and takes what that needs, if it is more |
/// | `T`, `t` | bytes of text encoders (`TextMemory` of the models) where `prompts.cache` keeps no encodings: layers of those up to 2²⁶ numbers and tokenizers; of larger ones the layer that runs |
///
/// Memory in bytes:
/// - coordinator: `4 N + 8 S`, the last state and the next; with outer momentum `8 A`, both rounds', and `4 A` of a
///   running mean that is written; a piece of every trainer's offer and three more while they are averaged; and what
///   each node may have asked for at once. Of the teacher it reads what networks begin with, and lets it go;
/// - rollout: `4 W + 4 P + L a + T + t + B · held + 2 E`, where it holds what a round trains on and
///   `cluster.lead_batches` more, at most what the worker's limit lets it; and what each trainer may have asked for of
///   a batch at once;
/// - trainer: `4 W + 4 P`, which a full student beside a full discriminator leaves in the file where it is mapped, if
///   the method does not ask the teacher; `4 N` of parameters, `4 N` of gradients a lane, `U` of moments, `4 N + U`
///   of the round's beginning, `O`, with roundings `16 N` more, of which the base `4 N`, what the offer stands for
///   and what it and the one before leave over; `4 max(A, D)` of a moment being decoded that is kept in bytes,
///   `4 S + 4 max(A, D)` of a state that comes in where there are other trainers, in a ring two of its shares as well
///   and what each node has asked for at once; `L a`, `T`, `t` where it is more than the offer, which it makes room
///   for, and `(B + E)` of the batches mixed and as many to come; a running mean of the student is two times `4 A`.
///   Paged state lies on the trainer's disk instead: `U`, and `4 N + U`, of which pages are in memory while that is
///   free;
/// - each its process of ``processByteCount``. With `prompts.cache`, text encoders are open only where a prompt is
///   met that is not kept; the text of the estimate says what they take then.
///
/// On two blocks of SD3 Medium's width in 16-bit floats, with both its CLIP encoders open and tokenizers of few
/// tokens, which are left out here, a rollout took 827 MiB where 873 are told, a trainer of FlowSteer 3,881 and
/// 3,994, a coordinator 2,152 and 2,150; on the emoji teacher a rollout 80 and 79, a trainer 271 and 267, a
/// coordinator 149 and 149; on twelve 16-bit blocks of width 512 with a discriminator of all twelve, trained whole, a
/// coordinator 3,224 and 3,277, a rollout 394 and 416, a trainer 4,902 and 4,915, with paged state 2,592 and 2,662
/// beside 1,336 of pages; on a random model of .4 million numbers 53 and 54, 85 and 86, 76 and 78. A run that ends
/// before it averages moments takes less. What is told of rollouts here leaves out what trainers ask for at once.
///
/// Disk: three checkpoints and every tenth, `4 S` each and `4 A` of outer momentum, with whoever fetches them, who
/// has moments that a round did not average once; and the offers of a round at the coordinator. Wire, a round: `B` a
/// batch from rollouts to trainers, `O` up and `4 S` down a trainer where all is averaged, without moments and
/// discriminator in rounds that do not average them; a checkpoint alike. Time: the run's own code, timed on this
/// machine for a second or two, with fewer blocks and at smaller widths where the run's are large (`WorkTime` of the
/// benchmarks), times each method's own evaluations. On the emoji preset, a rollout and a trainer of one lane each on
/// two cores of an AMD EPYC and nothing beside them, a step took 76 ms where 79 are told for FlowSteer, 73 and 71 in
/// bf16, 94 and 85 with all weights trained, 41 and 38 before the discriminator; 36 and 39 for PeRFlow, 92 and 92 for
/// DMD; for PCM, with other work on the machine, 108 and 109 where 106 to 117 were told; a batch of 8 prompts 377 and
/// 372, 217 and 211 in bf16, 731 and 730 for PeRFlow. On a random model of width 60 with 12 × 12 latents, batches of
/// 4 and kept prompts, a step took 70 and 68 for FlowSteer, 50 and 52 for DMD, a batch 118 and 109. Prompts that are
/// encoded first, pages of optimizers' files and what averaging takes are not in it.
package struct RunEstimate: Sendable {
    /// What was found out by trying, of one lane.
    package struct Measures: Sendable {
        /// Bytes of activations of a rollout, and of a distillation step.
        package var rolloutActivations: Int
        package var trainerActivations: Int
        /// Seconds of one evaluation of the teacher for one sample, and of one distillation step of the batch, all
        /// lanes at work (`WorkTime` of the benchmarks).
        package var secondsPerEvaluation: Double
        package var secondsPerStep: Double
        /// The same of a step before the discriminator takes part.
        package var secondsPerEarlyStep: Double

        package init(
            rolloutActivations: Int,
            trainerActivations: Int,
            secondsPerEvaluation: Double,
            secondsPerStep: Double,
            secondsPerEarlyStep: Double
        ) {
            self.rolloutActivations = rolloutActivations
            self.trainerActivations = trainerActivations
            self.secondsPerEvaluation = secondsPerEvaluation
            self.secondsPerStep = secondsPerStep
            self.secondsPerEarlyStep = secondsPerEarlyStep
        }
    }

    /// How many of each there are, and what they are given.
    package struct Cluster: Sendable {
        package var rollouts = 1
        package var trainers = 1
        package var lanes = 1
        /// Bytes of trajectories that a rollout holds at most.
        package var heldByteLimit = 4 << 30

        package init() {}
    }

    /// Bytes of one role's process, by what they are for.
    package struct Memory: Sendable {
        package let parts: [(name: String, byteCount: Int)]
        package var byteCount: Int { parts.reduce(0) { $0 + $1.byteCount } }
    }

    /// What any role of the smallest models took beside what is told of it, as measured: 40 to 45 MiB of them are program and
    /// libraries, as far as they are read, the rest what those allocate.
    package static let processByteCount = 51 << 20

    let configuration: RunConfiguration
    let sizes: NetworkSizes
    let storesFloats: Bool
    let latentCount: Int
    let textCount: Int
    let textMemory: TextMemory
    let cluster: Cluster
    let measures: Measures

    /// - Parameters:
    ///   - sizes: of the run's networks.
    ///   - storesFloats: whether all weights are stored as 32-bit floats.
    ///   - latentCount: numbers in one sample's latents.
    ///   - textCount: numbers in one prompt's encoding.
    ///   - textMemory: of text encoders that encode the prompts of a batch.
    package init(
        _ configuration: RunConfiguration,
        sizes: NetworkSizes,
        storesFloats: Bool,
        latentCount: Int,
        textCount: Int,
        textMemory: TextMemory,
        cluster: Cluster,
        measures: Measures
    ) {
        self.configuration = configuration
        self.sizes = sizes
        self.storesFloats = storesFloats
        self.latentCount = latentCount
        self.textCount = textCount
        self.textMemory = textMemory
        self.cluster = cluster
        self.measures = measures
    }
}

// MARK: - Sizes

extension RunEstimate {
    static let float = ScalarType.float32.byteCount

    var parameters: Int { sizes.student + sizes.critic }
    /// Numbers of the student's running mean.
    var averageCount: Int { configuration.averaging.keepsStudentAverage ? sizes.student : 0 }
    /// Numbers that rounds commit.
    package var stateCount: Int {
        (configuration.averaging.momentsPeriod > 0 ? 3 : 1) * parameters + averageCount
    }

    /// Bytes of both optimizers' moments.
    package var momentByteCount: Int {
        configuration.training.optimizer.storage.byteCount(of: sizes.student)
            + configuration.training.discriminatorOptimizer.storage.byteCount(of: sizes.critic)
    }

    /// Bytes of the largest offer.
    package var offerByteCount: Int {
        let encoding = configuration.averaging.encoding(of: .student)
        return encoding.byteCount(of: parameters) + (stateCount - parameters) * Self.float
    }

    /// Bytes of the trajectories of a batch.
    package var batchByteCount: Int {
        configuration.trajectory.statesHeld * configuration.batchSamples * latentCount * Self.float
    }

    /// Bytes of the encoded prompts of a batch.
    package var textByteCount: Int { configuration.batchSamples * textCount * Self.float }

    /// Bytes of weights laid out for products.
    func packedByteCount(_ precision: Precision, learning: Bool) -> Int {
        switch precision {
        case .float32:
            sizes.maps <= Weights.mostPackedElements ? (learning ? 2 : 1) * sizes.maps * Self.float : 0
        case .bfloat16: sizes.maps * ScalarType.bfloat16.byteCount
        }
    }

    /// Bytes of the weights that are read as they stand; what is laid out for products is let go of.
    func standingByteCount(_ precision: Precision) -> Int {
        let laidOut = packedByteCount(precision, learning: false) > 0 ? sizes.maps : 0
        return (sizes.weights - sizes.positions - laidOut) * Self.float
    }

    /// Bytes of activations of lanes that share so many samples.
    ///
    /// With fewer samples than lanes the first takes all. It encodes the prompts as well.
    func activationByteCount(_ samples: Int, lane byteCount: Int) -> Int {
        let others = samples >= cluster.lanes ? cluster.lanes - 1 : 0
        return max(byteCount, openEncoders.activationByteCount) + others * byteCount
    }

    /// Text encoders that are open all along, none where encodings are kept.
    var openEncoders: TextMemory { configuration.prompts.cachePath == nil ? textMemory : TextMemory() }
}

// MARK: - Disk, wire and time

extension RunEstimate {
    private var momentumByteCount: Int {
        configuration.averaging.student == .nesterov ? sizes.student * Self.float : 0
    }
    /// Bytes of the moments that rounds commit.
    private var committedMoments: Int { (stateCount - parameters - averageCount) * Self.float }

    /// Bytes of one round's checkpoint.
    package var checkpointByteCount: Int { stateCount * Self.float + momentumByteCount }

    private var rounds: Int { Int(clamping: configuration.cluster.rounds) }
    /// Checkpoints that stay beside the last three.
    private var olderCheckpoints: Int { max(0, rounds - 3) / 10 }

    /// Bytes of the checkpoints that stay until the end of the run.
    package var checkpointsByteCount: Int { (min(3, rounds) + olderCheckpoints) * checkpointByteCount }

    /// Bytes of the same in a worker that fetches them: moments that a round did not average are one file with those
    /// before, so that of the last three two differ at most, unless every round averages them.
    package var fetchedCheckpointsByteCount: Int {
        let last = min(3, rounds)
        let moments = configuration.averaging.momentsPeriod > 1 ? min(2, last) : last
        return checkpointsByteCount - (last - moments) * committedMoments
    }

    /// Bytes on the coordinator's disk.
    package var coordinatorDisk: Int { checkpointsByteCount + cluster.trainers * offerByteCount }

    /// Bytes of a trainer's state that lies in files; pages of them are in memory as long as that is free.
    var pagedByteCount: Int {
        configuration.training.pagesOptimizerState ? parameters * Self.float + 2 * momentByteCount : 0
    }

    /// Bytes on a trainer's disk: checkpoints, if it fetches them, and paged state.
    package var trainerDisk: Int { fetchedCheckpointsByteCount + pagedByteCount }

    /// Bytes of trajectories that trainers fetch in a round, all together.
    package var trajectoriesPerRound: Int {
        cluster.trainers * configuration.batchesPerRound * batchByteCount
    }

    /// Bytes that a trainer sends to the coordinator and gets from it, in a round that averages all.
    package var exchangePerRound: Int {
        offerByteCount + (cluster.trainers > 1 ? stateCount * Self.float : 0)
    }

    /// The same of a round on average: discriminators and moments are averaged in some rounds alone.
    package var usualExchangePerRound: Int {
        let encoding = configuration.averaging.encoding(of: .student)
        let offer = usual(
            student: encoding.byteCount(of: sizes.student) + averageCount * Self.float,
            critic: encoding.byteCount(of: sizes.critic)
        )
        return offer + (cluster.trainers > 1 ? usualStatePerRound : 0)
    }

    /// Bytes of a checkpoint that were not in the one before, on average.
    package var usualCheckpointPerRound: Int { usualStatePerRound + momentumByteCount }

    private var usualStatePerRound: Int {
        usual(
            student: (sizes.student + averageCount) * Self.float,
            critic: sizes.critic * Self.float
        )
    }

    private func usual(student: Int, critic: Int) -> Int {
        student + critic / configuration.averaging.discriminatorPeriod
            + committedMoments / max(1, configuration.averaging.momentsPeriod)
    }

    /// Seconds that a rollout takes for one batch.
    package var secondsPerBatch: Double { configuration.evaluationsPerBatch * measures.secondsPerEvaluation }

    /// Seconds of the trainers' work in a round, the discriminator taking part.
    package var trainingPerRound: Double {
        Double(configuration.cluster.localSteps) * measures.secondsPerStep
    }

    /// Seconds in which the rollouts make what a round needs.
    package var solvingPerRound: Double {
        Double(cluster.trainers * configuration.batchesPerRound) * secondsPerBatch / Double(cluster.rollouts)
    }

    /// Seconds of the run, averaging left out: the slower side waits for none.
    package var runSeconds: Double {
        let steps = Double(configuration.cluster.localSteps)
        let rounds = Double(configuration.cluster.rounds)
        let early = min(rounds, Double(configuration.training.adversarialStartStep) / steps)
        return early * max(steps * measures.secondsPerEarlyStep, solvingPerRound)
            + (rounds - early) * max(trainingPerRound, solvingPerRound)
    }
}
