import ClusterMessages
import TestSupport
import Testing
import ZeroMQ

@testable import ClusterRuntime

/// An honest rollout and an operator of a coordinator that others attack.
struct Witness {
    let run: TestRun
    let service: CoordinatorService
    private let rollout: TestNode
    private let rolloutLine: TestNode.Line
    private let person: TestNode
    private let personLine: TestNode.Line

    init(of run: TestRun, at service: CoordinatorService) async throws {
        self.run = run
        self.service = service
        rollout = try TestNode(keys: run.rollout)
        rolloutLine = try await rollout.connect(to: service.controlEndpoint, serverKey: run.serverKey)
        try await rollout.send(rollout.hello(.rollout, teacher: run.teacher), on: rolloutLine)
        _ = try await rollout.next(on: rolloutLine) { $0.asWelcome }
        person = try TestNode(keys: run.person)
        personLine = try await person.connect(to: service.controlEndpoint, serverKey: run.serverKey)
    }

    /// The session goes on: a ping has its pong.
    func isHeard() async throws {
        try await rollout.send(.ping(ping), on: rolloutLine)
        _ = try await rollout.next(on: rolloutLine) { message -> Void? in
            if case .pong = message { () } else { nil }
        }
    }

    /// The next refusal of the rollout's session, which pings until it comes.
    func refusal() async throws -> ErrorCode {
        while true {
            try await rollout.send(.ping(ping), on: rolloutLine)
            let message = try await rollout.next(on: rolloutLine)
            if case .refuse(let refuse) = message { return refuse.code }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    func status() async throws -> RunStatus {
        try await person.send(.statusRequest, on: personLine)
        return try await person.next(on: personLine) { message in
            guard case .status(let status) = message else { return nil }
            return try? RunStatus(decoding: status.payload)
        }
    }

    /// Waits until a figure of the status is above what it was.
    func waits(for figure: (RunStatus) -> Int, above former: Int) async throws {
        while figure(try await status()) <= former { try await Task.sleep(for: .milliseconds(20)) }
    }

    func close() async {
        await rollout.close()
        await person.close()
    }

    private var ping: Message.Ping {
        Message.Ping(
            progress: 1,
            heldByteCount: 0,
            activity: "watches",
            computeTime: .zero,
            waitTime: .zero,
            wireTime: .zero,
            peakMemoryByteCount: 0
        )
    }
}

/// Attacks a coordinator, and sees that it lives, that the attack is counted and that a session goes on.
func outlives(
    _ figure: (RunStatus) -> Int,
    of attack: (Witness) async throws -> Void
) async throws {
    try await withRunFolder { folder in
        var run = try TestRun(in: folder)
        run.options.handshakeTime = .milliseconds(500)
        try await run.serving { [run] service in
            let witness = try await Witness(of: run, at: service)
            try await witness.isHeard()
            let before = (figure: figure(try await witness.status()), memory: try residentByteCount())
            try await attack(witness)
            try await witness.waits(for: figure, above: before.figure)
            try await witness.isHeard()
            #expect(try residentByteCount() - before.memory < 256 << 20)
            await witness.close()
        }
    }
}
