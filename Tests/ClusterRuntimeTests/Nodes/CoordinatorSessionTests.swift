import ClusterMessages
import Testing

@testable import ClusterRuntime

struct CoordinatorSessionTests {
    private let start = ContinuousClock.now
    private let coordinator = Incarnation(77)

    private func session(patience: Duration = .seconds(600)) -> CoordinatorSession {
        CoordinatorSession(endpoint: "tcp://coordinator:1", patience: patience, now: start)
    }

    private func header(
        _ sequence: UInt64,
        from incarnation: Incarnation? = nil,
        generation: UInt64 = 1
    ) -> MessageHeader {
        MessageHeader(
            runID: "run",
            sender: .coordinator,
            token: SessionToken(0),
            incarnation: incarnation ?? coordinator,
            epoch: generation << 32 | 5,
            sequence: sequence
        )
    }

    private var welcome: Message {
        .welcome(
            Message.Welcome(
                node: NodeID(3),
                token: SessionToken(9),
                configuration: "",
                pingInterval: .seconds(1),
                deadInterval: .seconds(10),
                averagingEndpoint: "tcp://coordinator:2",
                checkpointEndpoint: "tcp://coordinator:3",
                announcementEndpoint: "tcp://coordinator:4",
                serverPublicKey: nil,
                latestRound: .initial,
                manifestHash: nil,
                trainerPublicKeys: []
            )
        )
    }

    /// A session that was welcomed with message 1.
    private func member() -> CoordinatorSession {
        var session = session()
        _ = session.ticked(now: start, jitter: 0.5)
        _ = session.received(welcome, header(1), now: start)
        return session
    }

    private func isLoss(_ action: CoordinatorSession.Action) -> Bool {
        if case .deliver(.lost) = action { true } else { false }
    }

    @Test func `hellos come at growing intervals, each but the first on a new socket`() {
        var session = session()
        var moments: [Duration] = []
        for tick in 0..<200 {
            let now = start + .milliseconds(100) * tick
            let actions = session.ticked(now: now, jitter: 0.5).filter { !isLoss($0) }
            if actions.isEmpty { continue }
            #expect(actions == (moments.isEmpty ? [.sayHello] : [.reconnect, .sayHello]))
            moments.append(start.duration(to: now))
        }
        #expect(moments == [0, 500, 1500, 3500, 7500, 12500, 17500].map { .milliseconds($0) })
    }

    @Test(arguments: [false, true])
    func `a coordinator that does not answer a hello is told of once, until it is heard again`(wasHeard: Bool)
    {
        var session = wasHeard ? member() : session()
        session.renew(now: start)
        func losses(_ seconds: Range<Int>) -> [Int] {
            seconds.filter { session.ticked(now: start + .seconds($0), jitter: 0.5).contains(where: isLoss) }
        }
        #expect(losses(0..<60) == [10])
        _ = session.received(welcome, header(1), now: start + .seconds(60))
        #expect(losses(60..<100) == [70])
    }

    @Test func `an unreachable coordinator is given up after the patience`() {
        var session = session(patience: .seconds(5))
        #expect(session.ticked(now: start + .seconds(4), jitter: 0) == [.sayHello])
        let actions = session.ticked(now: start + .seconds(5), jitter: 0)
        guard case .fail(let error)? = actions.first else {
            Issue.record("it goes on with \(actions)")
            return
        }
        #expect(error.exitCode == 69)
    }

    @Test func `a member pings at the welcome's pace`() {
        var session = member()
        #expect(session.ticked(now: start, jitter: 0) == [.ping])
        #expect(session.ticked(now: start + .milliseconds(900), jitter: 0) == [])
        #expect(session.ticked(now: start + .seconds(1), jitter: 0) == [.ping])
    }

    @Test func `a silent coordinator is looked for anew`() {
        var session = member()
        let actions = session.ticked(now: start + .seconds(10), jitter: 0)
        #expect(actions.last == .reconnect)
        #expect(!session.isMember)
        #expect(session.ticked(now: start + .seconds(10), jitter: 0) == [.sayHello])
    }

    @Test func `a lost message ends the session`() {
        var session = member()
        #expect(session.received(.finish, header(2), now: start) == [.deliver(.message(.finish))])
        #expect(session.received(.finish, header(2), now: start) == [])
        #expect(session.received(.finish, header(4), now: start) == [])
        #expect(!session.isMember)
    }

    @Test func `a session that the coordinator does not know is renewed`() {
        var session = member()
        let stale = Message.refuse(.init(code: .staleEpoch, text: "say hello"))
        #expect(session.received(stale, header(0, from: Incarnation(78), generation: 2), now: start) == [])
        #expect(session.ticked(now: start, jitter: 0) == [.sayHello])
    }

    @Test func `a welcome to an earlier hello does not take the place of one that tells news`() {
        var session = session()
        #expect(session.ticked(now: start, jitter: 0) == [.sayHello])
        session.renew(now: start)
        #expect(session.received(welcome, header(1), now: start) == [])
        #expect(session.ticked(now: start, jitter: 0) == [.sayHello])
        guard case .deliver(.welcomed)? = session.received(welcome, header(2), now: start).first else {
            Issue.record("it is not welcome")
            return
        }
        #expect(session.isMember)
    }

    @Test func `a coordinator of an earlier generation is not heard`() {
        var session = session()
        _ = session.ticked(now: start, jitter: 0)
        _ = session.received(welcome, header(1, generation: 3), now: start)
        let refusal = Message.refuse(.init(code: .auth, text: "go away"))
        #expect(session.received(refusal, header(0, generation: 2), now: start) == [])
        #expect(session.isMember)
    }

    @Test(arguments: [ErrorCode.teacherMismatch, .version, .auth, .runMismatch])
    func `a refused hello ends the worker`(code: ErrorCode) {
        var session = session()
        _ = session.ticked(now: start, jitter: 0)
        let actions = session.received(.refuse(.init(code: code, text: "no")), header(0), now: start)
        #expect(actions == [.fail(.refused(code, "no"))])
        #expect(NodeError.refused(code, "no").exitCode == 77)
    }

    @Test func `a process whose former self still pings comes again`() {
        var session = session()
        _ = session.ticked(now: start, jitter: 0.5)
        let refusal = Message.refuse(.init(code: .duplicateNode, text: "it is alive"))
        guard case .deliver(.turnedAway)? = session.received(refusal, header(0), now: start).first else {
            Issue.record("it does not say why it waits")
            return
        }
        #expect(session.received(refusal, header(0), now: start) == [])
        #expect(session.ticked(now: start + .milliseconds(500), jitter: 0.5) == [.reconnect, .sayHello])
    }
}
