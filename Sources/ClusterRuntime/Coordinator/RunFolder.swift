import Checkpoints
import Foundation

/// The files of a run that people and other programs read.
struct RunFolder: Sendable {
    static let configurationName = "config.yaml"
    static let eventsName = "events.jsonl"
    static let statusName = "status.json"
    private static let coordinatorName = "coordinator.json"

    let path: String

    /// Makes the folder if need be.
    init(path: String) throws(CoordinatorError) {
        self.path = path
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw CoordinatorError(writing: path, error)
        }
    }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Replaces a file: a reader sees the old one or the new one.
    ///
    /// It does not wait for the disk; what must survive a power cut is in the ledger.
    func write(_ bytes: [UInt8], as name: String) throws(CoordinatorError) {
        do {
            try Data(bytes).write(to: URL(filePath: file(name)), options: .atomic)
        } catch {
            throw CoordinatorError(writing: file(name), error)
        }
    }

    func write(_ text: String, as name: String) throws(CoordinatorError) {
        try write(Array(text.utf8), as: name)
    }

    /// Writes `coordinator.json`, which says that the coordinator is ready and where.
    func announce(_ address: CoordinatorAddress) throws {
        try write(Array(try StatusCoding.encoder.encode(address)), as: Self.coordinatorName)
    }
}
