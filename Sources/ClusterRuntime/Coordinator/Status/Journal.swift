package import ClusterMessages
import Coordination
import Foundation

/// One line of `events.jsonl`: an occurrence, a step in a batch's life, or a round's mean losses.
package struct JournalLine: Codable, Sendable, Equatable {
    /// A coordinator's process began; the text is its incarnation.
    static let started = "started"
    /// A batch was given to a rollout, under a fence.
    static let leased = "leased"
    /// A trajectory was given to a trainer.
    static let assigned = "assigned"
    /// A trainer began to upload its offer of a round.
    static let offered = "offered"
    /// A trainer's use of a batch was counted.
    static let consumed = "consumed"
    /// A person took committed rounds back: this one is the last.
    static let rewound = "rewound"
    /// The mean losses of a committed round.
    static let losses = "losses"

    /// Seconds since 1970.
    package var time: Double
    /// An ``Occurrence/Kind``, one of the above, `authorized` or `complaint`.
    package var kind: String
    /// The cluster's epoch, which never falls.
    package var epoch: UInt64?
    /// The node it happened to.
    package var node: NodeID?
    /// The batch it concerns.
    package var batch: BatchID?
    /// The round it concerns.
    package var round: RoundNumber?
    /// The fence a batch was leased under.
    package var fence: Fence?
    /// Samples that a use put into a step.
    package var samples: Int?
    /// Which use of the batch in its round it is, from 1.
    package var use: Int?
    /// The rest of the story.
    package var text: String?
    /// Mean loss terms of the round, by name.
    package var losses: [String: Double]?
    /// Steps the losses are the mean of.
    package var steps: Int?

    init(_ kind: String, epoch: UInt64?, time: Double) {
        self.kind = kind
        self.epoch = epoch
        self.time = time
    }

    init(_ occurrence: Occurrence, epoch: UInt64, time: Double) {
        self.init(occurrence.kind.rawValue, epoch: epoch, time: time)
        node = occurrence.node
        batch = occurrence.batch
        round = occurrence.round
        text = occurrence.text.isEmpty ? nil : occurrence.text
    }

    init(leased lease: GrantedLease, epoch: UInt64, time: Double) {
        self.init(Self.leased, epoch: epoch, time: time)
        node = lease.node
        batch = lease.batch
        fence = lease.fence
    }

    init(_ use: Consumption, by trainer: NodeID, epoch: UInt64, time: Double) {
        self.init(Self.consumed, epoch: epoch, time: time)
        node = trainer
        batch = use.batch
        round = use.round
        samples = use.samples
        self.use = use.use
    }

    init(offeredIn round: RoundNumber, by trainer: NodeID, epoch: UInt64, time: Double) {
        self.init(Self.offered, epoch: epoch, time: time)
        node = trainer
        self.round = round
    }

    init(_ rewinding: Ledger.Rewinding) {
        self.init(Self.rewound, epoch: nil, time: rewinding.time)
        round = rewinding.round
        text = rewinding.text
    }

    init(losses: LossBook.Means, of round: RoundNumber, time: Double) {
        self.init(Self.losses, epoch: nil, time: time)
        self.round = round
        self.losses = losses.terms
        steps = losses.steps
    }
}

/// The run's log, `events.jsonl`, which is only ever appended to.
///
/// On a full disk, lines wait in memory until there is room again.
struct Journal: Sendable {
    /// Bytes that may wait; more of them end the process.
    private static let backlogLimit = 16 << 20

    let path: String
    private let file: FileHandle
    private let encoder = StatusCoding.encoder
    private var backlog = Data()

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
            throw CoordinatorError(writing: path, error)
        }
    }

    /// Bytes that wait for room on the disk.
    var waitingByteCount: Int { backlog.count }

    /// Appends a line.
    mutating func append(_ line: JournalLine) throws(CoordinatorError) {
        do { backlog += try encoder.encode(line) } catch {
            throw .unwritable(path: path, reason: "\(error)")
        }
        backlog.append(UInt8(ascii: "\n"))
        try writeOut()
    }

    /// Writes what waits, as far as there is room.
    mutating func writeOut() throws(CoordinatorError) {
        guard !backlog.isEmpty else { return }
        do {
            let start = try file.offset()
            do {
                try file.write(contentsOf: backlog)
                backlog = Data()
            } catch let error as CocoaError where error.code == .fileWriteOutOfSpace {
                // The beginning may be there.
                backlog = Data(backlog.dropFirst(Int(try file.offset() - start)))
            }
        } catch {
            throw CoordinatorError(writing: path, error)
        }
        if backlog.count > Self.backlogLimit { throw .diskFull(path: path) }
    }
}
