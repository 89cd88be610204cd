import ClusterMessages
import Coordination

/// Compares a run's ledger with its log: every batch once, fences and epochs that never fall, equal samples.
///
/// A coordinator that is killed leaves uses in the log whose round never came to be; the same uses follow
/// again. So of equal lines the last one counts, and only for what the ledger has.
package struct LedgerAudit: Sendable {
    private let rows: LedgerRows
    /// The lines that hold, each with its number in the log.
    private let journal: [(number: Int, line: JournalLine)]
    /// How often a batch may be used in its round.
    private let useLimit: Int

    package init(_ rows: LedgerRows, journal: [JournalLine], useLimit: Int) {
        self.rows = rows
        self.journal = Self.standing(journal)
        self.useLimit = useLimit
    }

    /// Lines whose rounds were not taken back later by a person.
    private static func standing(_ journal: [JournalLine]) -> [(number: Int, line: JournalLine)] {
        var limit: RoundNumber?
        var lines: [(number: Int, line: JournalLine)] = []
        for (index, line) in journal.enumerated().reversed() {
            if line.kind == JournalLine.rewound, let round = line.round { limit = min(limit ?? round, round) }
            let isOfRound = [Occurrence.Kind.roundCommitted.rawValue, JournalLine.consumed].contains(
                line.kind
            )
            if let limit, let round = line.round, isOfRound, round > limit { continue }
            lines.append((index + 1, line))
        }
        return lines.reversed()
    }

    /// All that is wrong; of a damaged file nothing else is known.
    package var violations: [LedgerViolation] {
        guard rows.damage.isEmpty else { return rows.damage.map { .damaged($0) } }
        return rounds + contributions + batches + log + agreement
    }

    // MARK: The ledger

    private var rounds: [LedgerViolation] {
        var violations: [LedgerViolation] = []
        let present = Set(rows.rounds.map(\.number))
        if let last = rows.rounds.last?.number, UInt64(present.count) < last {
            let missing = (1..<last).lazy.filter { !present.contains($0) }
            violations += missing.prefix(100).map { .missingRound($0) }
        }
        for (before, round) in zip(rows.rounds, rows.rounds.dropFirst()) where round.issued < before.issued {
            violations.append(.cursorFell(round: round.number, from: before.issued, to: round.issued))
        }
        return violations
    }

    private var contributions: [LedgerViolation] {
        let present = Set(rows.rounds.map(\.number))
        let parts = Set(rows.committed.map { Part(round: $0.round, trainer: $0.trainer) })
        return rows.contributions.flatMap { contribution -> [LedgerViolation] in
            let (round, trainer) = (contribution.round, contribution.trainer)
            var violations: [LedgerViolation] = []
            if !present.contains(round) { violations.append(.contributionOfNoRound(round, trainer)) }
            if !rows.trainers.contains(trainer) {
                violations.append(.contributorIsNoTrainer(trainer, round: round))
            }
            if !parts.contains(Part(round: round, trainer: trainer)) {
                violations.append(.contributionWithoutBatches(trainer, round: round))
            }
            return violations
        }
    }

    private var batches: [LedgerViolation] {
        let issued = Dictionary(uniqueKeysWithValues: rows.rounds.map { ($0.number, $0.issued) })
        let parts = Set(rows.contributions.map { Part(round: $0.round, trainer: $0.trainer) })
        return rows.committed.flatMap { row -> [LedgerViolation] in
            guard let round = row.round, let cursor = issued[round] else {
                return [.batchOfNoRound(row.batch)]
            }
            var violations: [LedgerViolation] = []
            if row.batch.rawValue >= cursor {
                violations.append(.batchBeyondCursor(row.batch, round: round, issued: cursor))
            }
            if !parts.contains(Part(round: round, trainer: row.trainer)) {
                violations.append(.batchOfNoContributor(row.batch, round: round))
            }
            if !(1...useLimit).contains(row.uses ?? 0) {
                violations.append(.usesOutOfRange(row.batch, uses: row.uses, limit: useLimit))
            }
            return violations
        }
    }

    // MARK: The log

    private var log: [LedgerViolation] {
        var violations: [LedgerViolation] = []
        var epoch: UInt64 = 0
        var fences: [BatchID: Set<Fence>] = [:]
        var lastRound: UInt64 = 0
        if !journal.contains(where: { $0.line.kind == JournalLine.started }) { violations.append(.noWitness) }
        for (number, line) in journal {
            if let next = line.epoch {
                if next < epoch { violations.append(.epochFell(line: number, from: epoch, to: next)) }
                epoch = max(epoch, next)
            }
            // A lease is sent again, under the fence it had, to a node that does not know it any more.
            if line.kind == JournalLine.leased, let batch = line.batch, let fence = line.fence,
                fences[batch, default: []].insert(fence).inserted,
                let highest = fences[batch]?.max(), highest > fence
            {
                violations.append(.fenceFell(line: number, batch, from: highest, to: fence))
            }
            if line.kind == Occurrence.Kind.roundCommitted.rawValue, let round = line.round?.rawValue {
                if round <= lastRound { violations.append(.roundCommittedTwice(line: number, round)) }
                lastRound = max(lastRound, round)
            }
        }
        return violations
    }

    // MARK: Both

    private var agreement: [LedgerViolation] { lives + commits + batchLives + samples }

    private var lives: [LedgerViolation] {
        var rest = rows.incarnations[...]
        return journal.compactMap { number, line in
            guard line.kind == JournalLine.started else { return nil }
            let name = line.text ?? ""
            // A process may have been killed before it could write its line.
            guard let position = rest.firstIndex(of: name) else {
                return .unknownLife(line: number, name)
            }
            rest = rest[(position + 1)...]
            return nil
        }
    }

    private var commits: [LedgerViolation] {
        let present = Set(rows.rounds.map(\.number))
        return journal.compactMap { number, line in
            guard line.kind == Occurrence.Kind.roundCommitted.rawValue, let round = line.round?.rawValue,
                !present.contains(round)
            else { return nil }
            return .commitWithoutLedger(line: number, round)
        }
    }

    private var batchLives: [LedgerViolation] {
        var leased: Set<BatchID> = []
        var assigned: Set<Assignment> = []
        var settled: Set<BatchID> = []
        var violations: [LedgerViolation] = []
        let byRound = Dictionary(grouping: rows.committed) { $0.round ?? 0 }
        for (number, line) in journal {
            switch (line.kind, line.batch) {
            case (JournalLine.leased, _) where line.fence?.isOfSettledBatch ?? false: break
            case (JournalLine.leased, let batch?):
                leased.insert(batch)
                if settled.contains(batch) {
                    violations.append(.settledBatchLeased(line: number, batch))
                }
            case (JournalLine.assigned, let batch?):
                if let node = line.node { assigned.insert(Assignment(batch: batch, trainer: node)) }
            case (Occurrence.Kind.roundCommitted.rawValue, _):
                settled.formUnion(byRound[line.round?.rawValue ?? 0, default: []].map(\.batch))
            default: break
            }
        }
        for row in rows.committed {
            if !leased.contains(row.batch) { violations.append(.batchNeverLeased(row.batch)) }
            guard let trainer = row.trainer else { continue }
            if !assigned.contains(Assignment(batch: row.batch, trainer: trainer)) {
                violations.append(.batchNeverAssigned(row.batch, to: trainer))
            }
        }
        return violations
    }

    private var samples: [LedgerViolation] {
        var logged: [Use: Int] = [:]
        for (_, line) in journal where line.kind == JournalLine.consumed {
            guard let batch = line.batch, let node = line.node, let round = line.round?.rawValue,
                let use = line.use, let samples = line.samples
            else { continue }
            logged[Use(batch: batch, number: use, part: Part(round: round, trainer: node))] = samples
        }
        var violations: [LedgerViolation] = []
        var sums: [Part: Int] = [:]
        for row in rows.committed {
            guard let round = row.round, let trainer = row.trainer, let uses = row.uses,
                (1...useLimit).contains(uses)
            else { continue }
            let part = Part(round: round, trainer: trainer)
            for number in 1...uses {
                guard let samples = logged[Use(batch: row.batch, number: number, part: part)] else {
                    violations.append(.useNotLogged(row.batch, use: number, round: round, trainer))
                    continue
                }
                // A spoiled log may hold any numbers.
                sums[part, default: 0] &+= samples
            }
        }
        for row in rows.contributions {
            let sum = sums[Part(round: row.round, trainer: row.trainer)] ?? 0
            if sum != row.samples {
                violations.append(
                    .samplesDiffer(round: row.round, row.trainer, ledger: row.samples, log: sum)
                )
            }
        }
        return violations
    }

    private struct Part: Hashable {
        let round: UInt64?
        let trainer: NodeID?
    }

    private struct Assignment: Hashable {
        let batch: BatchID
        let trainer: NodeID
    }

    private struct Use: Hashable {
        let batch: BatchID
        let number: Int
        let part: Part
    }
}
