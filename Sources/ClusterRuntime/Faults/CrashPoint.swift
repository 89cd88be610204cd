import Foundation
import Glibc
import Synchronization

/// A place at which a process can be made to kill itself, to see whether the cluster heals.
///
/// `FLOWSTEER_FAULT=trainer-before-offer:2` kills a process with SIGKILL when it reaches that place for the second
/// time. Several faults, with commas between them, are a plan for `flowsteer local`: every process it starts gets
/// the next fault for its role and no other, so one that died is started again with the next fault, or with none.
package enum CrashPoint: String, CaseIterable, Sendable {
    /// The average is made, nothing of it is written.
    case coordinatorBeforeFiles = "coordinator-before-files"
    /// The checkpoint is on the disk, the ledger does not know of it.
    case coordinatorAfterFiles = "coordinator-after-files"
    /// All of the round's rows are in the transaction.
    case coordinatorBeforeCommit = "coordinator-before-commit"
    /// The transaction is on the disk, nothing else in the process knows.
    case coordinatorAfterCommit = "coordinator-after-commit"
    /// The new parameters are served, and nobody was told.
    case coordinatorBeforeAnnouncement = "coordinator-before-announcement"
    /// A step is taken and its report handed to the connection.
    case trainerAfterStepReport = "trainer-after-step-report"
    /// All steps of the round are taken.
    case trainerBeforeOffer = "trainer-before-offer"
    /// The offer is handed to the socket, and not accepted yet.
    case trainerAfterOffer = "trainer-after-offer"
    /// Another member of a ring asked for a piece of its offer, or of its share, which is about to be sent.
    case trainerServingRing = "trainer-serving-ring"
    /// A batch is solved, the coordinator does not know.
    case rolloutAfterSolving = "rollout-after-solving"
    /// A chunk was asked for, and is about to be sent.
    case rolloutServingChunk = "rollout-serving-chunk"
    /// A chunk of a checkpoint is in its place, others are missing; whoever fetches one comes by here.
    case rolloutAfterCheckpointChunk = "rollout-after-checkpoint-chunk"

    /// Where the name begins: the role whose processes come by here.
    var role: Substring { rawValue.prefix { $0 != "-" } }
}

/// How a process is to die.
package struct Fault: Sendable, Equatable, CustomStringConvertible {
    /// Where.
    package let point: CrashPoint
    /// At which time of reaching it, from 1.
    package var count = 1

    package var description: String { "\(point.rawValue):\(count)" }
}

/// The faults of a run, in the order in which they are given out.
package struct FaultPlan: Sendable, Equatable {
    /// The environment variable that states it.
    static let variable = "FLOWSTEER_FAULT"

    private(set) var faults: [Fault] = []

    /// Reads `point:n,point:n…`; an empty plan where the variable is not set.
    package init(environment: [String: String]) throws(ConfigurationError) {
        for text in (environment[Self.variable] ?? "").split(separator: ",") {
            let parts = text.split(separator: ":", omittingEmptySubsequences: false)
            guard let point = CrashPoint(rawValue: String(parts[0])) else {
                let known = CrashPoint.allCases.map(\.rawValue).joined(separator: ", ")
                throw Self.bad("the crash point", String(parts[0]), expected: "one of \(known)")
            }
            guard parts.count == 2, let count = Int(parts[1]), count >= 1 else {
                throw Self.bad("the fault", String(text), expected: "\(point.rawValue):n, n from 1")
            }
            faults.append(Fault(point: point, count: count))
        }
    }

    private static func bad(_ key: String, _ value: String, expected: String) -> ConfigurationError {
        .badValue(key: key, place: .environment(variable: variable), value: "'\(value)'", expected: expected)
    }

    /// Takes out the next fault for a process of this name, `coordinator` or `trainer-1`.
    mutating func next(for process: String) -> Fault? {
        guard let index = faults.firstIndex(where: { process.hasPrefix($0.point.role) }) else { return nil }
        return faults.remove(at: index)
    }
}

/// What this process is to die of; made once, when the first point is reached.
private final class Fuse: Sendable {
    static let ofThisProcess = Fuse()

    private let faults: Mutex<[Fault]>

    /// Nil without a fault, so that reaching a point costs one comparison.
    private init?() {
        let plan = try? FaultPlan(environment: ProcessInfo.processInfo.environment)
        guard let plan, !plan.faults.isEmpty else { return nil }
        faults = Mutex(plan.faults)
    }

    /// Whether this is the time to die.
    func burn(at point: CrashPoint) -> Bool {
        faults.withLock { faults in
            guard let index = faults.firstIndex(where: { $0.point == point }) else { return false }
            faults[index].count -= 1
            return faults[index].count == 0
        }
    }
}

/// Ends this process at once, with no word to anybody but its log, if it is to die here and now.
func reached(_ point: CrashPoint) {
    guard let fuse = Fuse.ofThisProcess, fuse.burn(at: point) else { return }
    FileHandle.standardError.write(Data("flowsteer: dies at \(point.rawValue)\n".utf8))
    kill(getpid(), SIGKILL)
}
