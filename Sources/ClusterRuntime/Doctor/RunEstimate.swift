import ClusterMessages
import Coordination
import DiffusionModels
package import Distillation
import NeuralNetwork
import Tensors

/// What a run will need, by role: memory, disk, wire and time, before anything of it is started.
///
/// These are the formulas, and this is their only place. Letters, all in numbers of four bytes unless they say bytes:
///
/// | letter | what it is |
/// |---|---|
/// | `W` | weights of the teacher's transformer that are read as they stand; files of 32-bit floats are mapped, others widened |
/// | `P` | the linear maps, which `W` then leaves out, laid out for products: 1 of each number, in trainers 2; none beyond 2²⁶; in bf16 ½ |
/// | `A`, `D` | what the student trains, adapters or weights, and critic, where there is one, `N = A + D` |
/// | `U` | bytes of moments: 8 a parameter, 2.03 with `adamw8bit` |
/// | `S` | what rounds commit: `N`, `2 N` of moments unless `cluster.averaging.moments_period` is 0, `A` of a running mean |
/// | `O` | bytes of an offer: `4 S`; float16 and int8 write `N` with 2 and 1⅛ bytes |
/// | `B`, `E` | bytes of a batch: `4 · states · samples · latents`, and of its encoded prompts; states are K + 1 of K segments on the teacher's trajectory, 2 K of segments by themselves, 2 of whole trajectories |
/// | `L`, `a` | lanes at work, and the bytes of one's activations (`ActivationMemory` of the benchmarks) |
///
/// Memory in bytes:
/// - coordinator: `4 N + 8 S`, the last state and the next; with outer momentum `8 A`, both rounds', and `4 A` of a
///   running mean that is written; a piece of every trainer's offer and three more while they are averaged; and what
///   each node may have asked for at once. Of the teacher it reads what networks begin with, and lets it go;
/// - rollout: `4 W + 4 P + L a + B · held + 2 E`, where it holds what a round trains on and `cluster.lead_batches` more,
///   at most what the worker's limit lets it;
/// - trainer: `4 W + 4 P`, which a full student beside a full discriminator leaves in the file where it is mapped, if the
///   method does not ask the teacher; `4 N` of parameters, `4 N` of gradients a lane, `U` of moments, `4 N + U` of the round's
///   beginning, `O`, with roundings `16 N` more, of which the base `4 N`, what the offer stands for and what it and the
///   one before leave over; `4 max(A, D)` of a moment being decoded that is kept in bytes,
///   `4 S + 4 max(A, D)` of a state that comes in where there are other trainers, in a ring two of its shares as well
///   and what each node has asked for at once; `L a`, and `(B + E)` of the batches mixed and as many to come; a running
///   mean of the student is two times `4 A`.
///   Paged state lies on the trainer's disk instead: `U`, and `4 N + U`;
/// - each its process of ``processByteCount``. Text encoders are not in it: they are open only while a prompt is met
///   that is not kept (`prompts.cache`), see ``textByteCount``.
///
/// Two trainers of PeRFlow on the emoji teacher, a lane each, took 377 MiB where 375 are told in a ring at rank 64, 289
/// and 273 at rank 32, and 351 and 355 with int8 at rank 64; one of FlowSteer on two blocks of SD3 Medium 8.9 and 8.7 GiB.
///
/// Disk: three checkpoints and every tenth, `4 S` each and `4 A` of outer momentum, with whoever fetches them; and the
/// offers of a round at the coordinator. Wire, a round: `B` a batch from rollouts to trainers, `O` up and `4 S` down a
/// trainer. Time: the run's own code, timed on this machine for a second or two, with fewer blocks and at smaller widths
/// where the run's are large (`WorkTime` of the benchmarks), times each method's own evaluations. On the emoji preset, a
/// rollout and a trainer of one lane each on two cores of an AMD EPYC and nothing beside them, a step took 76 ms where 79
/// are told for FlowSteer, 73 and 71 in bf16, 94 and 85 with all weights trained, 41 and 38 before the discriminator;
/// 36 and 39 for PeRFlow, 92 and 92 for DMD, 112 and 100 for PCM; a batch of 8 prompts 377 and 372, 217 and 211 in bf16,
/// 731 and 730 for PeRFlow. On a random model of width 60 with 12 × 12 latents, batches of 4 and kept prompts, a step took
/// 70 and 68 for FlowSteer, 50 and 52 for DMD, a batch 118 and 109. Prompts that are encoded first, pages of optimizers'
/// files and what averaging takes are not in it.
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

    /// A process that has opened its sockets and nothing else, as measured: 45 MiB of them are program and libraries.
    package static let processByteCount = 56 << 20

    let configuration: RunConfiguration
    let sizes: NetworkSizes
    let storesFloats: Bool
    let latentCount: Int
    let textCount: Int
    let cluster: Cluster
    let measures: Measures

    /// - Parameters:
    ///   - sizes: of the run's networks.
    ///   - storesFloats: whether all weights are stored as 32-bit floats.
    ///   - latentCount: numbers in one sample's latents.
    ///   - textCount: numbers in one prompt's encoding.
    package init(
        _ configuration: RunConfiguration,
        sizes: NetworkSizes,
        storesFloats: Bool,
        latentCount: Int,
        textCount: Int,
        cluster: Cluster,
        measures: Measures
    ) {
        self.configuration = configuration
        self.sizes = sizes
        self.storesFloats = storesFloats
        self.latentCount = latentCount
        self.textCount = textCount
        self.cluster = cluster
        self.measures = measures
    }
}

// MARK: - Sizes

extension RunEstimate {
    private static let float = ScalarType.float32.byteCount

    var parameters: Int { sizes.student + sizes.critic }
    /// Numbers of the student's running mean.
    private var averageCount: Int { configuration.averaging.keepsStudentAverage ? sizes.student : 0 }
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
        (packedByteCount(precision, learning: false) > 0 ? sizes.weights - sizes.maps : sizes.weights)
            * Self.float
    }

    /// Lanes that hold activations of so many samples: with fewer samples than lanes the first takes all.
    func lanesAtWork(_ samples: Int) -> Int { samples >= cluster.lanes ? cluster.lanes : 1 }
}

// MARK: - Memory

extension RunEstimate {
    private var process: (String, Int) { ("the process", Self.processByteCount) }

    private func weights(_ precision: Precision, learning: Bool) -> [(String, Int)] {
        [
            (storesFloats ? "weights, mapped" : "weights, widened", standingByteCount(precision)),
            ("weights for products", packedByteCount(precision, learning: learning)),
        ]
    }

    /// The teacher's weights in a trainer.
    private var trainerWeights: [(String, Int)] {
        let network = configuration.network
        let areRead =
            network.student == .lora || network.critic == .velocity
            || network.critic == .discriminator && network.discriminator.mode != .full
            || configuration.training.method.asksTeacher
        let weights = weights(network.precision, learning: true)
        return areRead ? weights : storesFloats ? [] : Array(weights.prefix(1))
    }

    package var coordinatorMemory: Memory {
        let hasMomentum = configuration.averaging.student == .nesterov
        return Memory(
            parts: [
                process,
                ("networks", (parameters + averageCount) * Self.float),
                ("states of two rounds", 2 * stateCount * Self.float),
                ("outer momentum", hasMomentum ? 2 * sizes.student * Self.float : 0),
                // Of every offer, their mean, a difference from it, and the bytes that are read.
                ("pieces of offers", (cluster.trainers + 3) * RoundAverage.pieceByteCount),
                (
                    "messages on their way",
                    (cluster.trainers + cluster.rollouts) * ChunkTransfer.windowByteCount
                ),
            ]
        )
    }

    package var rolloutMemory: Memory {
        let held =
            (configuration.batchesPerRound * cluster.trainers + configuration.cluster.leadBatches)
            / cluster.rollouts
        return Memory(
            parts: [process] + weights(configuration.trajectory.precision, learning: false) + [
                ("activations", lanesAtWork(configuration.batchSamples) * measures.rolloutActivations),
                ("trajectories held", min(max(1, held) * batchByteCount, cluster.heldByteLimit)),
                ("encoded prompts", 2 * textByteCount),
            ]
        )
    }

    package var trainerMemory: Memory {
        let isPaged = configuration.training.pagesOptimizerState
        let numbers = parameters * Self.float
        let averages = averageCount * Self.float
        let isRounded = configuration.averaging.exchange != .float32
        let keepsCommitted = isRounded || configuration.cluster.topology == .ring
        let segment = max(sizes.student, sizes.critic) * Self.float
        let decoded = configuration.averaging.momentsPeriod > 0 && momentByteCount < 2 * numbers ? segment : 0
        let incoming = stateCount * Self.float + segment
        // The share that it has made, and another's; pieces on their way to the others, to the coordinator and in.
        let shares = 2 * stateCount * Self.float / cluster.trainers
        let pieces = (cluster.trainers + 1) * ChunkTransfer.windowByteCount
        let ring = configuration.cluster.topology == .ring ? shares + pieces : 0
        return Memory(
            parts: [process] + trainerWeights + [
                ("parameters", numbers + averages), ("gradients", cluster.lanes * numbers),
                ("moments", isPaged ? 0 : momentByteCount),
                (
                    "where the round began",
                    (isPaged ? 0 : numbers + averages + momentByteCount) + (keepsCommitted ? numbers : 0)
                ),
                ("offer", offerByteCount + decoded + (isRounded ? 3 * numbers : 0)),
                ("state that comes in", cluster.trainers > 1 ? incoming + ring : 0),
                ("activations", lanesAtWork(configuration.training.batchSize) * measures.trainerActivations),
                (
                    "trajectories and prompts",
                    2 * configuration.mixedBatches * (batchByteCount + textByteCount)
                ),
            ]
        )
    }
}

// MARK: - Disk, wire and time

extension RunEstimate {
    /// Bytes of one round's checkpoint.
    package var checkpointByteCount: Int {
        let momentum = configuration.averaging.student == .nesterov ? sizes.student : 0
        return (stateCount + momentum) * Self.float
    }

    /// Bytes of the checkpoints that stay until the end of the run.
    package var checkpointsByteCount: Int {
        let rounds = Int(clamping: configuration.cluster.rounds)
        return (min(3, rounds) + max(0, rounds - 3) / 10) * checkpointByteCount
    }

    /// Bytes on the coordinator's disk.
    package var coordinatorDisk: Int { checkpointsByteCount + cluster.trainers * offerByteCount }

    /// Bytes on a trainer's disk: checkpoints, if it fetches them, and paged state.
    package var trainerDisk: Int {
        let isPaged = configuration.training.pagesOptimizerState
        return checkpointsByteCount + (isPaged ? parameters * Self.float + 2 * momentByteCount : 0)
    }

    /// Bytes of trajectories that trainers fetch in a round, all together.
    package var trajectoriesPerRound: Int {
        cluster.trainers * configuration.batchesPerRound * batchByteCount
    }

    /// Bytes that a trainer sends to the coordinator and gets from it, in a round that averages all.
    package var exchangePerRound: Int {
        offerByteCount + (cluster.trainers > 1 ? stateCount * Self.float : 0)
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
