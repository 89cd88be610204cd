package import Checkpoints
import Foundation

/// The names inside a run's folder that this machine's person meets.
package struct LocalRunFolder: Sendable {
    package let path: String

    package init(_ path: String) { self.path = absolutePath(path, in: ".") }

    package var configuration: String { "\(path)/config.yaml" }
    package var status: String { "\(path)/status.json" }
    package var coordinator: String { "\(path)/coordinator.json" }
    /// Where the coordinator's live page is; there while it is served.
    package var web: String { "\(path)/web.json" }
    /// The token that its buttons need.
    package var webToken: String { "\(path)/web.token" }
    package var events: String { "\(path)/events.jsonl" }
    package var checkpoints: String { "\(path)/checkpoints" }
    package var keys: String { "\(path)/keys" }
    /// The key of the person whose run it is.
    package var operatorKey: String { "\(keys)/operator.key" }
    package var logs: String { "\(path)/logs" }
    package var student: String { "\(path)/student" }
    package var samples: String { "\(path)/samples.png" }
    package var reportJSON: String { "\(path)/report.json" }
    package var reportMarkdown: String { "\(path)/report.md" }
    package var reportPage: String { "\(path)/report.html" }

    /// Makes a folder and those above it.
    package static func create(_ path: String) throws(CheckpointError) {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw .unwritable(path: path, reason: "a folder cannot be made there")
        }
    }

    /// The run's state as the coordinator last wrote it; nil before it did.
    package func readStatus() throws -> RunStatus? {
        guard let data = FileManager.default.contents(atPath: status) else { return nil }
        return try RunStatus(decoding: Array(data))
    }

    /// The lines of `events.jsonl`; a line cut short by a crash is passed over.
    package func readJournal() -> [JournalLine] {
        guard let data = FileManager.default.contents(atPath: events) else { return [] }
        let decoder = StatusCoding.decoder
        return data.split(separator: UInt8(ascii: "\n")).compactMap { line in
            (try? decoder.decode(JournalLine.self, from: Data(line)))
        }
    }

    /// The folder of the newest whole checkpoint.
    package func latestCheckpoint() throws -> String {
        let found = try CheckpointStore(reading: checkpoints).latestVerified()
        guard let checkpoint = found.checkpoint else {
            throw CheckpointError.unreadable(path: checkpoints, reason: "there is no whole checkpoint")
        }
        return checkpoint.folder
    }
}
