import ClusterMessages
import Foundation
import GRDB
import Testing

@testable import ClusterRuntime

/// A real run's ledger and log, in order at first and then spoilt in one place.
@Suite(.serialized, .timeLimit(.minutes(2))) struct LedgerAuditTests {
    /// Runs one round through a real coordinator, spoils what it left, and audits that.
    private func audit(
        rewriting rewrite: (String) -> String = { $0 },
        sql: String = ""
    ) async throws -> [LedgerViolation] {
        try await withRunFolder { folder in
            let run = try TestRun(in: folder, rounds: 1)
            let service = try await CoordinatorService(run.options)
            async let end: Void = service.run()
            let round = try await Round(of: run, offering: run.initial, at: service)
            try await round.leave(peakMemoryByteCount: 1)
            try await end
            await round.close()
            let files = LocalRunFolder(run.options.runFolder)
            let text = try String(contentsOfFile: files.events, encoding: .utf8)
            try rewrite(text).write(toFile: files.events, atomically: true, encoding: .utf8)
            if !sql.isEmpty {
                let database = try DatabaseQueue(path: "\(files.path)/ledger.sqlite")
                try await database.writeWithoutTransaction { database in
                    try database.execute(
                        sql: "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON"
                    )
                    try database.execute(sql: sql)
                }
                try database.close()
            }
            return try RunAudit(files).violations
        }
    }

    /// The log without the lines of a kind.
    private static func without(_ kind: String) -> @Sendable (String) -> String {
        { text in
            text.split(separator: "\n").filter { !$0.contains("\"kind\":\"\(kind)\"") }
                .joined(separator: "\n")
        }
    }

    /// The log with its first line of a kind once more at the end, changed.
    private static func repeating(
        _ kind: String,
        _ change: @escaping @Sendable (String) -> String = { $0 }
    ) -> @Sendable (String) -> String {
        { text in
            let line = text.split(separator: "\n").first { $0.contains("\"kind\":\"\(kind)\"") } ?? ""
            return text + change(String(line)) + "\n"
        }
    }

    @Test func `a run that went well is in order`() async throws {
        #expect(try await audit() == [])
    }

    private static let rows: [(sql: String, violation: LedgerViolation)] = [
        ("UPDATE contribution SET samples = 7", .samplesDiffer(round: 1, NodeID(2), ledger: 7, log: 2)),
        ("UPDATE batch SET round = 9", .batchOfNoRound(BatchID(0))),
        ("UPDATE batch SET trainer = 1", .batchOfNoContributor(BatchID(0), round: 1)),
        ("UPDATE batch SET uses = 5", .usesOutOfRange(BatchID(0), uses: 5, limit: 1)),
        ("UPDATE batch SET id = 900", .batchBeyondCursor(BatchID(900), round: 1, issued: 1)),
        ("UPDATE node SET role = 'rollout'", .contributorIsNoTrainer(NodeID(2), round: 1)),
        ("DELETE FROM batch", .contributionWithoutBatches(NodeID(2), round: 1)),
        ("UPDATE round SET number = 2", .missingRound(1)),
        ("DELETE FROM round", .contributionOfNoRound(1, NodeID(2))),
        ("DELETE FROM round", .commitWithoutLedger(line: 0, 1)),
        (
            "INSERT INTO round SELECT 2, parameters, manifest, 0, 1.0 FROM round",
            .cursorFell(round: 2, from: 1, to: 0)
        ),
        ("DROP TABLE contribution", .damaged("")),
    ]

    @Test(arguments: rows.indices)
    func `a ledger that was changed is found out`(index: Int) async throws {
        let (sql, expected) = Self.rows[index]
        let found = try await audit(sql: sql)
        #expect(found.contains { $0.resembles(expected) }, "\(found)")
    }

    private static let logs: [(rewrite: @Sendable (String) -> String, violation: LedgerViolation)] = [
        (without("started"), .noWitness),
        (without("leased"), .batchNeverLeased(BatchID(0))),
        (without("assigned"), .batchNeverAssigned(BatchID(0), to: NodeID(2))),
        (without("consumed"), .useNotLogged(BatchID(0), use: 1, round: 1, NodeID(2))),
        (
            repeating("consumed") { $0.replacing("\"samples\":2", with: "\"samples\":3") },
            .samplesDiffer(round: 1, NodeID(2), ledger: 2, log: 3)
        ),
        (repeating("started"), .epochFell(line: 0, from: 0, to: 0)),
        (repeating("started"), .unknownLife(line: 0, "")),
        (repeating("roundCommitted"), .roundCommittedTwice(line: 0, 1)),
        (repeating("leased"), .settledBatchLeased(line: 0, BatchID(0))),
        (
            repeating("leased") {
                $0.replacing(/"fence":\{"attempt":\d+,"epoch":\d+/, with: #""fence":{"attempt":0,"epoch":0"#)
            },
            .fenceFell(
                line: 0,
                BatchID(0),
                from: Fence(epoch: 0, attempt: 0),
                to: Fence(epoch: 0, attempt: 0)
            )
        ),
    ]

    @Test(arguments: logs.indices)
    func `a log that was changed is found out`(index: Int) async throws {
        let (rewrite, expected) = Self.logs[index]
        let found = try await audit(rewriting: rewrite)
        #expect(found.contains { $0.resembles(expected) }, "\(found)")
    }

    @Test func `a committed batch may be leased to be audited`() async throws {
        let again = Self.repeating("leased") {
            $0.replacing(/"attempt":\d+/, with: #""attempt":1073741824"#)
        }
        let found = try await audit(rewriting: again)
        #expect(!found.contains { $0.resembles(.settledBatchLeased(line: 0, BatchID(0))) }, "\(found)")
    }

    @Test func `a folder without a ledger is named`() async throws {
        try await withRunFolder { folder in
            _ = #expect(throws: CoordinatorError.noLedger(path: "\(folder)/ledger.sqlite")) {
                try LedgerRows(readingFolder: folder)
            }
        }
    }
}

extension LedgerViolation {
    /// Whether both are of one kind and, where they tell no line or epoch, equal.
    fileprivate func resembles(_ other: LedgerViolation) -> Bool {
        switch (self, other) {
        case (.damaged, .damaged), (.epochFell, .epochFell), (.unknownLife, .unknownLife),
            (.fenceFell, .fenceFell), (.roundCommittedTwice, .roundCommittedTwice),
            (.commitWithoutLedger, .commitWithoutLedger), (.settledBatchLeased, .settledBatchLeased),
            (.batchBeyondCursor, .batchBeyondCursor), (.cursorFell, .cursorFell):
            true
        default: self == other
        }
    }
}
