import Checkpoints
import Distillation
import Foundation
import NeuralNetwork
import Tensors

/// A teacher's training as it is kept on disk: parameters, running mean, both moments, counters.
///
/// States lie in a ``CheckpointStore`` under the number of batches taken; each appears whole or not at all.
struct PretrainingState {
    private let store: CheckpointStore
    private let settings: PretrainingFolder.Settings

    /// States on disk: the last, and one before it for when a disk has lost the last.
    private static let kept = RetentionPolicy(keepingLast: 2)

    private enum Name {
        static let parameters = "parameters.safetensors"
        static let average = "average.safetensors"
        static let moments = "moments.safetensors"
        static let firstMoment = "first"
        static let secondMoment = "second"
        static let counters = "counters.json"
    }

    private struct Counters: Codable {
        /// Batches taken.
        let steps: Int
        /// Those that changed something.
        let updates: Int
    }

    init(in folder: PretrainingFolder, of settings: PretrainingFolder.Settings) throws {
        store = try CheckpointStore(folder: folder.states)
        self.settings = settings
    }

    /// Brings a trainer that has made no update to the newest state that is whole.
    ///
    /// - Returns: what was wrong with newer ones; nothing changes where there is no whole one.
    func restore(_ trainer: inout PretrainingTrainer) throws -> [RejectedCheckpoint] {
        _ = try store.sweepAbandoned()
        let found = try store.latestVerified()
        guard let checkpoint = found.checkpoint else { return found.rejected }
        let counters = try JSONDecoder().decode(
            Counters.self,
            from: Data(try checkpoint.bytes(of: Name.counters))
        )
        let layout = trainer.parameters.layout
        for (file, target) in [
            (Name.parameters, trainer.parameters.values), (Name.average, trainer.average),
        ] {
            let tensors = try checkpoint.tensors(in: file)
            for entry in layout.entries {
                let tensor = try tensors.tensor(named: entry.name, shape: entry.shape)
                target.rows(entry.offset..<entry.offset + entry.count).copy(from: tensor)
            }
        }
        let moments = try checkpoint.tensors(in: Name.moments)
        trainer.resume(
            stepCount: counters.steps,
            updates: counters.updates,
            firstMoment: try moments.tensor(named: Name.firstMoment, shape: [layout.count]),
            secondMoment: try moments.tensor(named: Name.secondMoment, shape: [layout.count])
        )
        return found.rejected
    }

    /// Keeps where a trainer is; a state of as many batches is there already and stays.
    func write(_ trainer: PretrainingTrainer) throws {
        let step = UInt64(trainer.stepCount)
        guard try !store.rounds().contains(step) else { return }
        let counters = Counters(steps: trainer.stepCount, updates: trainer.optimizer.stepCount)
        let parameters = Dictionary(
            uniqueKeysWithValues: trainer.parameters.tensors.map { ($0.name, $0.tensor) }
        )
        let average = Dictionary(
            uniqueKeysWithValues: trainer.averages.map { ($0.name, $0.tensor) }
        )
        let moments = [
            Name.firstMoment: trainer.optimizer.firstMoment,
            Name.secondMoment: trainer.optimizer.secondMoment,
        ]
        _ = try store.publish(
            CheckpointOrigin(
                runID: "pretraining",
                round: step,
                parameterHash: ContentDigest(ofTensors: parameters),
                teacherHash: settings.model,
                configurationHash: ContentDigest(of: try ReportCoding.encoded(settings)),
                parentManifestHash: nil,
                build: ProgramVersion.text,
                ledgerCursor: step * UInt64(settings.training.batchSize),
                roles: ["teacher"]
            ),
            files: [
                (Name.parameters, .tensors(SafetensorsWriter(parameters))),
                (Name.average, .tensors(SafetensorsWriter(average))),
                (Name.moments, .tensors(SafetensorsWriter(moments))),
                (Name.counters, .bytes(try ReportCoding.encoded(counters))),
            ]
        )
        _ = try store.prune(Self.kept)
    }
}
