import ClusterMessages
import Coordination
import DiffusionModels
import Distillation
import Tensors

/// Memory by role.
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
                (
                    "activations",
                    activationByteCount(configuration.batchSamples, lane: measures.rolloutActivations)
                ),
                ("text encoders", openEncoders.heldByteCount + openEncoders.passingByteCount),
                ("trajectories held", min(max(1, held) * batchByteCount, cluster.heldByteLimit)),
                (
                    "messages on their way",
                    cluster.trainers * min(batchByteCount, ChunkFetch.Plane.trajectories.windowByteCount)
                ),
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
        let offer = offerByteCount + decoded + (isRounded ? 3 * numbers : 0)
        let arriving = cluster.trainers > 1 ? incoming + ring : 0
        return Memory(
            parts: [process] + trainerWeights + [
                ("parameters", numbers + averages), ("gradients", cluster.lanes * numbers),
                ("moments", isPaged ? 0 : momentByteCount),
                (
                    "where the round began",
                    (isPaged ? 0 : numbers + averages + momentByteCount) + (keepsCommitted ? numbers : 0)
                ),
                ("offer", offer), ("state that comes in", arriving),
                (
                    "activations",
                    activationByteCount(configuration.training.batchSize, lane: measures.trainerActivations)
                ),
                // A layer is in memory while batches come, and gone when the round ends.
                (
                    "text encoders",
                    openEncoders.heldByteCount + max(0, openEncoders.passingByteCount - offer - arriving)
                ),
                (
                    "trajectories and prompts",
                    2 * configuration.mixedBatches * (batchByteCount + textByteCount)
                ),
            ]
        )
    }
}
