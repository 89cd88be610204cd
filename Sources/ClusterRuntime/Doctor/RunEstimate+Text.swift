import Coordination
import DiffusionModels
import Distillation
import Foundation

extension RunEstimate {
    /// The whole estimate for a person.
    package var text: String {
        let header = """
            a trajectory batch of \(configuration.batchSamples) prompts is \(Self.bytes(batchByteCount)), its encoded \
            prompts \(Self.bytes(textByteCount)); \(Self.count(sizes.weights)) weights, \
            \(Self.count(sizes.student)) in the student, \(Self.count(sizes.critic)) in the critic

            """
        return header + role("coordinator", coordinatorMemory, disk: coordinatorDisk)
            + role("rollout", rolloutMemory, disk: fetchedCheckpointsByteCount)
            + role("trainer", trainerMemory, disk: trainerDisk) + paged + unkept + wire + time
    }

    /// What a trainer takes more while nobody else needs it.
    private var paged: String {
        guard pagedByteCount > 0 else { return "" }
        return """

            paged state: up to \(Self.bytes(pagedByteCount)) of the trainer's disk is in memory as long as that is free; the \
            system takes it back

            """
    }

    /// What a worker takes more where a prompt's encoding is to be kept and is not there.
    private var unkept: String {
        guard configuration.prompts.cachePath != nil else { return "" }
        let more = textMemory.heldByteCount + textMemory.passingByteCount
        return """

            text encoders: \(Self.bytes(more)) more in a worker that meets a prompt whose encoding is not kept; \
            'flowsteer encode prompts' keeps all of them before the run

            """
    }

    private func role(_ name: String, _ memory: Memory, disk: Int) -> String {
        let parts = memory.parts.filter { $0.byteCount > 0 }.map { "\($0.name) \(Self.bytes($0.byteCount))" }
        return """

            \(name): \(Self.bytes(memory.byteCount)) of memory, \(Self.bytes(disk)) of disk
              \(parts.joined(separator: ", "))

            """
    }

    private var wire: String {
        """

        wire, a round: \(Self.bytes(trajectoriesPerRound)) of trajectories from rollouts to trainers; \
        \(Self.bytes(usualExchangePerRound)) between each trainer and the coordinator and \
        \(Self.bytes(usualCheckpointPerRound)) of checkpoint to whoever fetches it on average, \
        \(Self.bytes(exchangePerRound)) and \(Self.bytes(checkpointByteCount)) where all is averaged

        """
    }

    private var time: String {
        let early = measures.secondsPerEarlyStep
        let isEven = early == measures.secondsPerStep
        return """

            time, each worker alone on a machine like this one: a batch \(Self.seconds(secondsPerBatch)), a step \
            \(Self.seconds(measures.secondsPerStep))\
            \(isEven ? "" : ", before the discriminator takes part \(Self.seconds(early))"); a round \
            \(Self.seconds(max(trainingPerRound, solvingPerRound))) (trainers work \
            \(Self.seconds(trainingPerRound)), rollouts \(Self.seconds(solvingPerRound))); \
            \(configuration.cluster.rounds) rounds \(Self.seconds(runSeconds))
            """
    }

    private static func bytes(_ count: Int) -> String {
        let mebibytes = Double(count) / 1_048_576
        return switch mebibytes {
        case ..<1: String(format: "%.0f KiB", mebibytes * 1024)
        case ..<10: String(format: "%.1f MiB", mebibytes)
        case ..<1024: String(format: "%.0f MiB", mebibytes)
        default: String(format: "%.1f GiB", mebibytes / 1024)
        }
    }

    private static func count(_ count: Int) -> String { String(format: "%.1f million", Double(count) / 1e6) }

    private static func seconds(_ seconds: Double) -> String {
        switch seconds {
        case ..<1: String(format: "%.0f ms", seconds * 1000)
        case ..<120: String(format: "%.1f s", seconds)
        case ..<7200: String(format: "%.0f min", seconds / 60)
        default: String(format: "%.1f h", seconds / 3600)
        }
    }
}
