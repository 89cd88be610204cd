import ClusterMessages
import Testing

@testable import ClusterRuntime

/// One round, from hello to commit: a rollout says it made a batch, a trainer that it used it, and offers.
struct Round {
    /// The hash that was announced.
    let committed: ContentHash
    private let rollout: TestRollout
    private let trainer: TestNode
    private let trainerLine: TestNode.Line

    init(of run: TestRun, offering offered: ParameterBytes, at service: CoordinatorService) async throws {
        rollout = try await TestRollout(run.rollout, of: run, at: service, batches: 1)
        try await rollout.deliver(try await rollout.lease(), hash(7))

        trainer = try TestNode(keys: run.trainer)
        trainerLine = try await trainer.connect(to: service.controlEndpoint, serverKey: run.serverKey)
        let hello = trainer.hello(.trainer, teacher: run.teacher, parameters: run.initial.hash)
        try await trainer.send(hello, on: trainerLine)
        let welcome = try await trainer.next(on: trainerLine) { $0.asWelcome }
        try await trainer.send(.workCredit(.init(batchCount: 1, byteCount: 1 << 30)), on: trainerLine)
        let assignment = try await trainer.next(on: trainerLine) { $0.asAssignment }
        #expect(assignment.holderEndpoint == "tcp://127.0.0.1:9")
        try await trainer.send(.stepReport(Self.report), on: trainerLine)
        try await trainer.send(.consumed(Self.use(of: assignment)), on: trainerLine)
        let averaging = try await trainer.connect(to: welcome.averagingEndpoint, serverKey: run.serverKey)
        try await trainer.upload(TestOffer(offered, for: run), on: averaging)
        let announcement = try await trainer.next(on: trainerLine) { $0.asCommitted }
        #expect(announcement.round == RoundNumber(1))
        committed = announcement.parameterHash
    }

    /// Waits for the end of the run, tells the last figures and says goodbye.
    func leave(peakMemoryByteCount: Int) async throws {
        for (node, line) in [(rollout.node, rollout.line), (trainer, trainerLine)] {
            try await node.next(on: line) { $0.isFinish }
            let ping = Message.Ping(
                progress: 1,
                heldByteCount: 0,
                activity: "leaving",
                computeTime: .seconds(1),
                waitTime: .seconds(2),
                wireTime: .seconds(3),
                peakMemoryByteCount: peakMemoryByteCount
            )
            try await node.send(.ping(ping), on: line)
            try await node.send(.goodbye(Message.Goodbye(reason: "done", returningLeases: [])), on: line)
        }
    }

    func close() async {
        await rollout.node.close()
        await trainer.close()
    }

    // MARK: What the trainer says

    private static let report = Message.StepReport(
        round: RoundNumber(1),
        localStep: 0,
        sampleCount: 2,
        losses: [Message.Measurement(name: "distillation", value: 0.5)],
        gradientNorms: []
    )

    private static func use(of assignment: Message.Assign) -> Message.Consumed {
        Message.Consumed(
            batch: assignment.batch,
            hash: assignment.hash,
            round: RoundNumber(1),
            localStep: 0,
            sampleCount: 2,
            useCount: 1
        )
    }
}
