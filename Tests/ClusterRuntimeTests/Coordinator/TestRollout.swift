import ClusterMessages
import ZeroMQ

@testable import ClusterRuntime

/// A rollout that computes nothing: it says of its leases that it made them.
struct TestRollout {
    let node: TestNode
    let line: TestNode.Line

    /// Joins, and takes so many batches at a time.
    init(_ keys: CurveKeyPair, of run: TestRun, at service: CoordinatorService, batches: Int) async throws {
        node = try TestNode(keys: keys)
        line = try await node.connect(to: service.controlEndpoint, serverKey: run.serverKey)
        try await node.send(node.hello(.rollout, teacher: run.teacher), on: line)
        _ = try await node.next(on: line) { $0.asWelcome }
        let credit = Message.WorkCredit(batchCount: batches, byteCount: 1 << 30)
        try await node.send(.workCredit(credit), on: line)
    }

    /// Returns once the coordinator has heard all that was said before; passes over what it says until then.
    func waitUntilHeard() async throws {
        let ping = Message.Ping(
            progress: 0,
            heldByteCount: 0,
            activity: "",
            computeTime: .zero,
            waitTime: .zero,
            wireTime: .zero,
            peakMemoryByteCount: 0
        )
        try await node.send(.ping(ping), on: line)
        _ = try await node.next(on: line) { $0.asPong }
    }

    func lease() async throws -> Message.Lease { try await node.next(on: line) { $0.asLease } }

    func release() async throws -> Message.Release { try await node.next(on: line) { $0.asRelease } }

    func deliver(_ lease: Message.Lease, _ hash: ContentHash) async throws {
        let ready = Message.TrajectoryReady(
            batch: lease.batch,
            fence: lease.fence,
            hash: hash,
            byteCount: 100,
            teacherEvaluationCount: 1,
            elapsed: .milliseconds(1)
        )
        try await node.send(.trajectoryReady(ready), on: line)
    }
}
