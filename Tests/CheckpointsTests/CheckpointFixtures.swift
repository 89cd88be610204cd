import Checkpoints
import Foundation
import Tensors

func origin(round: UInt64, parent: ContentDigest? = nil) -> CheckpointOrigin {
    CheckpointOrigin(
        runID: "run-7",
        round: round,
        parameterHash: ContentDigest(of: [1]),
        teacherHash: ContentDigest(of: [2]),
        configurationHash: ContentDigest(of: [3]),
        parentManifestHash: parent,
        build: "1.0.0",
        ledgerCursor: 10 * round,
        roles: ["student", "discriminator"]
    )
}

/// Two files: tensors of some 2 kB that differ from round to round, and bytes that never change.
func files(round: UInt64) -> [(name: String, content: CheckpointContent)] {
    let student = Tensor((0..<500).map { Float($0) + Float(round) }, shape: [20, 25])
    return [
        (name: "student.safetensors", content: .tensors(SafetensorsWriter(["w": student]))),
        (name: "constants.bin", content: .bytes((0..<1000).map { UInt8(truncatingIfNeeded: $0) })),
    ]
}

/// A store with small chunks, so that small files have several.
func store(_ folder: TemporaryFolder, _ name: String = "checkpoints") throws -> CheckpointStore {
    try CheckpointStore(folder: "\(folder.path)/\(name)", chunkByteCount: 256)
}

@discardableResult
func publish(_ rounds: [UInt64], in store: CheckpointStore) throws -> [StoredCheckpoint] {
    try rounds.map { try store.publish(origin(round: $0), files: files(round: $0)) }
}
