package import ClusterMessages
import Coordination
import Foundation

/// One line of `events.jsonl`: an occurrence, or the mean losses of a committed round.
package struct JournalLine: Codable, Sendable, Equatable {
    /// Seconds since 1970.
    package var time: Double
    /// An ``Occurrence/Kind``, or `losses`.
    package var kind: String
    /// The node it happened to.
    package var node: NodeID?
    /// The batch it concerns.
    package var batch: BatchID?
    /// The round it concerns.
    package var round: RoundNumber?
    /// The rest of the story.
    package var text: String?
    /// Mean loss terms of the round, by name.
    package var losses: [String: Double]?
    /// Steps the losses are the mean of.
    package var steps: Int?

    init(_ occurrence: Occurrence, time: Double) {
        self.time = time
        kind = occurrence.kind.rawValue
        node = occurrence.node
        batch = occurrence.batch
        round = occurrence.round
        text = occurrence.text.isEmpty ? nil : occurrence.text
    }

    init(losses: LossBook.Means, of round: RoundNumber, time: Double) {
        self.time = time
        kind = "losses"
        self.round = round
        self.losses = losses.terms
        steps = losses.steps
    }
}

/// The run's log, `events.jsonl`, which is only ever appended to.
struct Journal: Sendable {
    private let path: String
    private let file: FileHandle
    private let encoder = StatusCoding.encoder

    /// Opens the file behind what earlier processes wrote; a line one of them left unfinished is ended.
    init(path: String) throws(CoordinatorError) {
        self.path = path
        do {
            if !FileManager.default.fileExists(atPath: path) { try Data().write(to: URL(filePath: path)) }
            file = try FileHandle(forUpdating: URL(filePath: path))
            let end = try file.seekToEnd()
            guard end > 0 else { return }
            try file.seek(toOffset: end - 1)
            let isTorn = try file.readToEnd() != Data("\n".utf8)
            if isTorn { try file.write(contentsOf: Data("\n".utf8)) }
        } catch {
            throw .unwritable(path: path, reason: "\(error)")
        }
    }

    /// Appends a line.
    func append(_ line: JournalLine) throws(CoordinatorError) {
        do {
            try file.write(contentsOf: encoder.encode(line) + Data("\n".utf8))
        } catch {
            throw .unwritable(path: path, reason: "\(error)")
        }
    }
}
