import Foundation

/// Reads `events.jsonl` while the coordinator appends to it.
package struct JournalTail: Sendable {
    /// Bytes read at once.
    private static let portion = 256 << 10
    /// A line longer than this is passed over.
    private static let longestLine = 1 << 20

    private let path: String
    private let markers: [Data]
    private var offset: UInt64 = 0
    private var rest = Data()

    /// - Parameter skipped: kinds of lines that are passed over unread.
    package init(path: String, skipping skipped: Set<String> = []) {
        self.path = path
        markers = skipped.sorted().map { Data("\"kind\":\"\($0)\"".utf8) }
    }

    /// The lines that followed, from a bounded number of bytes; nil when there is no more at present.
    ///
    /// What a crash left of a line is passed over.
    package mutating func next() -> [JournalLine]? {
        guard let file = FileHandle(forReadingAtPath: path) else { return nil }
        defer { try? file.close() }
        guard (try? file.seek(toOffset: offset)) != nil,
            let portion = try? file.read(upToCount: Self.portion), !portion.isEmpty
        else { return nil }
        offset += UInt64(portion.count)
        var lines = (rest + portion).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        rest = lines.popLast().map { Data($0) } ?? Data()
        if rest.count > Self.longestLine { rest = Data() }
        let decoder = StatusCoding.decoder
        return lines.compactMap { line in
            let isSkipped = markers.contains { line.range(of: $0) != nil }
            return isSkipped || line.isEmpty ? nil : try? decoder.decode(JournalLine.self, from: Data(line))
        }
    }
}
