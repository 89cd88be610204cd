package import ClusterMessages

/// What a run's ledger and log contradict each other, or themselves, in.
package enum LedgerViolation: Error, Sendable, Hashable {
    // The ledger alone.
    case damaged(String)
    case missingRound(UInt64)
    case cursorFell(round: UInt64, from: UInt64, to: UInt64)
    case batchBeyondCursor(BatchID, round: UInt64, issued: UInt64)
    case batchOfNoRound(BatchID)
    case batchOfNoContributor(BatchID, round: UInt64)
    case usesOutOfRange(BatchID, uses: Int?, limit: Int)
    case contributionOfNoRound(UInt64, NodeID)
    case contributorIsNoTrainer(NodeID, round: UInt64)
    case contributionWithoutBatches(NodeID, round: UInt64)

    // The log alone.
    case noWitness
    case epochFell(line: Int, from: UInt64, to: UInt64)
    case fenceFell(line: Int, BatchID, from: Fence, to: Fence)
    case roundCommittedTwice(line: Int, UInt64)

    // Both.
    case unknownLife(line: Int, String)
    case commitWithoutLedger(line: Int, UInt64)
    case batchNeverLeased(BatchID)
    case batchNeverAssigned(BatchID, to: NodeID)
    case useNotLogged(BatchID, use: Int, round: UInt64, NodeID)
    case samplesDiffer(round: UInt64, NodeID, ledger: Int, log: Int)
    case settledBatchLeased(line: Int, BatchID)
}

extension LedgerViolation: CustomStringConvertible {
    package var description: String {
        switch self {
        case .damaged(let text): "the ledger is damaged: \(text)"
        case .missingRound(let round): "round \(round) is missing, though a later one is committed"
        case .cursorFell(let round, let from, let to):
            "round \(round) was committed with \(to) batches issued, the one before with \(from)"
        case .batchBeyondCursor(let batch, let round, let issued):
            "batch \(batch) is in round \(round), when only \(issued) batches had been issued"
        case .batchOfNoRound(let batch): "batch \(batch) is committed, but in no round of the ledger"
        case .batchOfNoContributor(let batch, let round):
            "batch \(batch) is in round \(round), but its trainer contributed nothing to it"
        case .usesOutOfRange(let batch, let uses, let limit):
            "batch \(batch) was used \(uses.map(String.init) ?? "an unknown number of") times, expected 1 to \(limit)"
        case .contributionOfNoRound(let round, let node):
            "node \(node) contributed to round \(round), which the ledger does not have"
        case .contributorIsNoTrainer(let node, let round):
            "node \(node) contributed to round \(round), but is no trainer of the ledger"
        case .contributionWithoutBatches(let node, let round):
            "trainer \(node) contributed to round \(round), but none of its batches is committed in it"
        case .noWitness:
            "the log has no line 'started': it is none of this version, or was cut at its beginning"
        case .epochFell(let line, let from, let to): "line \(line): the epoch fell from \(from) to \(to)"
        case .fenceFell(let line, let batch, let from, let to):
            "line \(line): batch \(batch) was leased under fence \(to) after \(from)"
        case .roundCommittedTwice(let line, let round):
            "line \(line): round \(round) was committed again, or out of order"
        case .unknownLife(let line, let incarnation):
            "line \(line): the coordinator's process \(incarnation) is not in the ledger, or out of order"
        case .commitWithoutLedger(let line, let round):
            "line \(line): round \(round) was committed, but the ledger does not have it"
        case .batchNeverLeased(let batch): "batch \(batch) is committed, but was never leased"
        case .batchNeverAssigned(let batch, let node):
            "batch \(batch) is committed as trainer \(node)'s, but was never assigned to it"
        case .useNotLogged(let batch, let use, let round, let node):
            "use \(use) of batch \(batch) by trainer \(node) in round \(round) is not in the log"
        case .samplesDiffer(let round, let node, let ledger, let log):
            "round \(round): trainer \(node) weighs \(ledger) samples in the ledger, the log counts \(log)"
        case .settledBatchLeased(let line, let batch):
            "line \(line): batch \(batch) was leased, though a round that was committed before has it"
        }
    }
}
