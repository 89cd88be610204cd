import Foundation

/// The coordinator's `events.jsonl`, read while it is written: each line once.
struct EventLog {
    /// A line.
    struct Event: Decodable {
        let time: Double
        let kind: String
        let node: Int?
        let batch: Int?
        let round: Int?
        /// Which use of the batch.
        let use: Int?
        let text: String?
    }

    /// What was read so far.
    private(set) var events: [Event] = []
    private var offset: UInt64 = 0
    private let decoder = JSONDecoder()

    /// Reads on; a line being written is not there yet.
    mutating func read(on path: String) throws {
        guard let file = FileHandle(forReadingAtPath: path) else { return }
        defer { try? file.close() }
        try file.seek(toOffset: offset)
        guard let bytes = try file.readToEnd(), let end = bytes.lastIndex(of: UInt8(ascii: "\n")) else {
            return
        }
        let lines = bytes[...end]
        offset += UInt64(lines.count)
        events += lines.split(separator: UInt8(ascii: "\n")).compactMap {
            try? decoder.decode(Event.self, from: $0)
        }
    }
}
