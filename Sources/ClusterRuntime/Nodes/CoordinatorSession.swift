import ClusterMessages
import Coordination

/// A node's side of its session: when to say hello, what to believe, when to give up.
///
/// A value that decides; ``CoordinatorConnection`` carries its actions out.
struct CoordinatorSession: Sendable {
    typealias Instant = ContinuousClock.Instant

    /// What to do now.
    enum Action: Sendable, Equatable {
        /// Throw the socket away, with whatever waits in it, and take a new one.
        case reconnect
        case sayHello
        case ping
        case deliver(ConnectionEvent)
        case fail(NodeError)
    }

    private enum Phase: Sendable {
        /// Hellos are said, so many up to now, the next one then.
        case greeting(said: Int, next: Instant)
        case member(nextPing: Instant)
    }

    /// The session as the welcome gave it; stays the last one while a new hello is on its way.
    private(set) var session: NodeSession?
    private var phase: Phase
    private var lastHeard: Instant { didSet { isLost = false } }
    /// Whether the coordinator's silence was told of.
    private var isLost = false
    /// Tells when a message of the coordinator's was lost.
    private var gate = SequenceGate(after: 0)
    /// Sessions that ended because the coordinator took what this node said for a breach of the protocol.
    private var breaches = 0
    /// Why the coordinator does not let this node in for now, as last told.
    private var objection: String?
    private let endpoint: String
    private let patience: Duration

    private static let breachLimit = 5
    /// Silence that is worth a word before anything was heard.
    private static let firstSilence = Duration.seconds(10)

    /// A node that has said nothing yet.
    init(endpoint: String, patience: Duration, now: Instant) {
        self.endpoint = endpoint
        self.patience = patience
        phase = .greeting(said: 0, next: now)
        lastHeard = now
    }

    /// Whether what is sent now belongs to a session.
    var isMember: Bool {
        if case .member = phase { true } else { false }
    }

    /// Says hello again, because what the node has is not what the coordinator knows.
    mutating func renew(now: Instant) { phase = .greeting(said: 0, next: now) }

    // MARK: Time

    /// What time brings.
    ///
    /// - Parameter jitter: 0 to 1, so that nodes which lost their coordinator together do not come back together.
    mutating func ticked(now: Instant, jitter: Double) -> [Action] {
        let silence = lastHeard.duration(to: now)
        guard silence < patience else {
            return [.fail(.coordinatorUnreachable(endpoint: endpoint, silence: silence))]
        }
        let isDead = silence >= session?.welcome.deadInterval ?? Self.firstSilence
        let news: [Action] = isDead && !isLost ? [.deliver(.lost("no answer for \(silence)"))] : []
        isLost = isDead
        switch phase {
        case .greeting(let said, let next):
            guard now >= next else { return news }
            phase = .greeting(said: said + 1, next: now + Self.delay(after: said, jitter: jitter))
            return news + (said == 0 ? [.sayHello] : [.reconnect, .sayHello])
        case .member(let nextPing):
            guard let welcome = session?.welcome else { return [] }
            if isDead {
                renew(now: now)
                return news + [.reconnect]
            }
            guard now >= nextPing else { return [] }
            phase = .member(nextPing: now + welcome.pingInterval)
            return [.ping]
        }
    }

    /// How long a hello is given, and with it the pause before the next: half a second, doubled up to five.
    private static func delay(after said: Int, jitter: Double) -> Duration {
        min(.milliseconds(500) * (1 << min(said, 4)), .seconds(5)) * (0.75 + 0.5 * jitter)
    }

    // MARK: What the coordinator says

    /// What a message brings.
    mutating func received(_ message: Message, _ header: MessageHeader, now: Instant) -> [Action] {
        // Only a coordinator that was replaced speaks of an earlier generation: the epoch's upper half counts
        // the starts of the run's coordinators.
        guard header.epoch >> 32 >= (session?.epoch ?? 0) >> 32 else { return [] }
        switch message {
        case .welcome(let welcome): return welcomed(welcome, header, now: now)
        case .refuse(let refusal): return refused(refusal, now: now)
        default: break
        }
        guard let session, session.coordinator == header.incarnation else { return [] }
        self.session?.epoch = header.epoch
        lastHeard = now
        switch gate.admit(header.sequence) {
        case .next: return [.deliver(.message(message))]
        case .repeated: return []
        case .gap:
            if isMember { renew(now: now) }
            return []
        }
    }

    private mutating func welcomed(
        _ welcome: Message.Welcome,
        _ header: MessageHeader,
        now: Instant
    ) -> [Action] {
        let session = NodeSession(
            coordinator: header.incarnation,
            runID: header.runID,
            welcome: welcome,
            epoch: header.epoch
        )
        if let known = self.session, known.runID != session.runID {
            let text = "the coordinator now has run \(session.runID), this node works for \(known.runID)"
            return [.fail(.refused(.runMismatch, text))]
        }
        if case .greeting(said: 0, _) = phase {
            // It answers a hello from before the renewal: what this node has since, the next one tells.
            lastHeard = now
            return []
        }
        self.session = session
        objection = nil
        gate = SequenceGate(after: header.sequence)
        lastHeard = now
        phase = .member(nextPing: now)
        return [.deliver(.welcomed(session))]
    }

    private mutating func refused(_ refusal: Message.Refuse, now: Instant) -> [Action] {
        lastHeard = now
        switch refusal.code {
        case .staleEpoch, .expired:
            // One hello answers any number of these.
            if isMember { renew(now: now) }
            return []
        case .auth where isMember && breaches < Self.breachLimit:
            // A coordinator that was restarted may not know yet who this is.
            breaches += 1
            phase = .greeting(said: 0, next: now + .seconds(1))
            return []
        case .duplicateNode where !isMember, .noCapacity, .paused, .shuttingDown, .internal:
            // It may pass; the next hello is due anyway.
            if isMember { renew(now: now) }
            guard objection != refusal.text else { return [] }
            objection = refusal.text
            return [.deliver(.turnedAway("\(refusal.text) (\(refusal.code))"))]
        default:
            return [.fail(.refused(refusal.code, refusal.text))]
        }
    }
}

/// What a worker hears from its connection.
enum ConnectionEvent: Sendable, Equatable {
    /// The node is a member, in a new session: credit is to be stated anew, and what may have been lost said again.
    case welcomed(NodeSession)
    /// The coordinator is silent; the connection looks for it, and the worker goes on with what it has.
    case lost(String)
    /// The coordinator does not let this node in for now; the connection says hello again.
    case turnedAway(String)
    case message(Message)
}
