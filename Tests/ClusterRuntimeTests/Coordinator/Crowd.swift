import ClusterMessages
import Testing

@testable import ClusterRuntime

/// Trainers of one round, each of which was given a batch, says that it used it, and may offer.
///
/// They say nothing between: a test gives them a long `cluster.dead`.
struct Crowd {
    /// One of them.
    struct Trainer {
        let node: TestNode
        let control: TestNode.Line
        let averaging: TestNode.Line
        let id: NodeID
    }

    let trainers: [Trainer]
    private let rollout: TestRollout

    /// Lets a rollout and all trainers of a run in; returns when round 1 is open for all.
    init(of run: TestRun, at service: CoordinatorService) async throws {
        rollout = try await TestRollout(run.rollout, of: run, at: service, batches: run.trainers.count)
        for _ in run.trainers { try await rollout.deliver(try await rollout.lease(), hash(7)) }
        var trainers: [Trainer] = []
        for keys in run.trainers {
            let node = try TestNode(keys: keys)
            let control = try await node.connect(to: service.controlEndpoint, serverKey: run.serverKey)
            try await node.send(
                node.hello(.trainer, teacher: run.teacher, parameters: run.initial.hash),
                on: control
            )
            let welcome = try await node.next(on: control) { $0.asWelcome }
            try await node.send(.workCredit(.init(batchCount: 1, byteCount: 1 << 30)), on: control)
            let averaging = try await node.connect(
                to: welcome.averagingEndpoint,
                serverKey: run.serverKey
            )
            trainers.append(
                Trainer(node: node, control: control, averaging: averaging, id: welcome.node)
            )
        }
        for trainer in trainers {
            let assignment = try await trainer.node.next(on: trainer.control) { $0.asAssignment }
            let use = Message.Consumed(
                batch: assignment.batch,
                hash: assignment.hash,
                round: RoundNumber(1),
                localStep: 0,
                sampleCount: 2,
                useCount: 1
            )
            try await trainer.node.send(.consumed(use), on: trainer.control)
        }
        self.trainers = trainers
    }

    func close() async {
        for trainer in trainers { await trainer.node.close() }
        await rollout.node.close()
    }
}

extension Crowd.Trainer {
    /// Offers parameters and returns when the coordinator has all of them.
    func offer(_ offered: TestOffer) async throws { try await node.upload(offered, on: averaging) }

    /// The hash of the committed parameters.
    func committed() async throws -> ContentHash {
        try await node.next(on: control) { $0.asCommitted }.parameterHash
    }
}
