import ClusterMessages
import Synchronization
import ZeroMQ

/// A message that passed the door: its sender is who it says it is and may say this.
struct Visit: Sendable {
    let peer: RoutingID
    let header: MessageHeader
    let message: Message
    /// What its key permits it to be.
    let role: Role
    /// Its key; nil when insecure.
    let key: CurvePublicKey?
}

/// A message that was turned away.
struct Trespass: Error {
    let peer: RoutingID?
    /// What to say to it; nil where no answer is due.
    let answer: Message.Refuse?
    /// The node whose session ends for it; nil where nobody's does.
    let offender: NodeID?
    let text: String
}

/// Checks what comes in on every plane: who sent it, with which key, in which role and run.
///
/// All planes share it, so a node welcomed on the control plane is known on the others at once.
final class Doorman: Sendable {
    /// The present session of a node.
    struct Seat: Sendable {
        let role: Role
        let key: CurvePublicKey?
        let token: SessionToken
    }

    private struct Book {
        var seats: [NodeID: Seat] = [:]
        var refusals = 0
        var authorized: AuthorizedNodes? {
            didSet { trainerKeys = Self.trainerKeys(of: authorized) }
        }
        /// Found once, because every pong tells them.
        private(set) var trainerKeys: [String]

        init(authorized: AuthorizedNodes?) {
            self.authorized = authorized
            trainerKeys = Self.trainerKeys(of: authorized)
        }

        private static func trainerKeys(of authorized: AuthorizedNodes?) -> [String] {
            (authorized?.keys(of: [.trainer]) ?? []).sorted().map(\.text)
        }
    }

    let runID: String
    private let book: Mutex<Book>

    /// - Parameter authorized: who may come in; nil when insecure.
    init(runID: String, authorized: AuthorizedNodes?) {
        self.runID = runID
        book = Mutex(Book(authorized: authorized))
    }

    /// Who may come in; nil when insecure.
    var authorized: AuthorizedNodes? { book.withLock(\.authorized) }

    /// Replaces the list, and returns the nodes whose sessions end because their keys permit less than before.
    func authorize(_ authorized: AuthorizedNodes) -> [NodeID] {
        book.withLock { book in
            book.authorized = authorized
            let ended = book.seats.filter { _, seat in
                seat.key.flatMap { authorized[$0]?.role } != seat.role
            }
            for node in ended.keys { book.seats[node] = nil }
            return ended.keys.sorted()
        }
    }

    /// Messages and connections turned away.
    var refusals: Int { book.withLock(\.refusals) }

    /// Counts a peer that was turned away.
    func refused() { book.withLock { $0.refusals += 1 } }

    /// Notes a node's new session; its former one is over.
    func seat(_ node: NodeID, _ seat: Seat) { book.withLock { $0.seats[node] = seat } }

    /// Whether a message shows the token of its sender's present session.
    func isSeated(_ visit: Visit) -> Bool {
        book.withLock { $0.seats[visit.header.sender]?.token == visit.header.token }
    }

    /// The public keys of all trainers there may be, in order; none when insecure.
    var trainerKeys: [String] { book.withLock(\.trainerKeys) }

    // MARK: Inspection

    /// Reads and checks a message; what it throws was counted.
    func inspect(_ received: ReceivedMessage) throws(Trespass) -> Visit {
        do throws(Trespass) {
            return try examine(received)
        } catch {
            refused()
            throw error
        }
    }

    /// Counts and describes a message of another plane's kind.
    func misplaced(_ visit: Visit, on plane: String) -> Trespass {
        refused()
        let text = "a \(visit.message.kind) does not belong on the \(plane) plane"
        let isSeated = isSeated(visit)
        return Trespass(
            peer: visit.peer,
            answer: Message.Refuse(code: .auth, text: text),
            offender: isSeated ? visit.header.sender : nil,
            text: text
        )
    }

    private func examine(_ received: ReceivedMessage) throws(Trespass) -> Visit {
        let header: MessageHeader
        let message: Message
        do {
            (header, message) = try MessageCodec.decode(frames: received.frames)
        } catch {
            throw trespass(received, error)
        }
        func refusal(_ code: ErrorCode, _ text: String, endsSession: Bool = false) -> Trespass {
            Trespass(
                peer: received.peer,
                answer: Message.Refuse(code: code, text: text),
                offender: endsSession ? header.sender : nil,
                text: text
            )
        }
        guard let peer = received.peer else { throw refusal(.internal, "it has no return address") }
        let seat = book.withLock { $0.seats[header.sender] }
        guard let role = role(of: message, key: received.userID, seat: seat) else {
            throw refusal(.auth, "the key is not, or no longer, authorized")
        }
        let isIntroduction = header.sender == .coordinator
        guard isIntroduction || seat == nil || seat?.key == received.userID else {
            throw refusal(.auth, "node \(header.sender) has another key")
        }
        guard message.kind.allowedSenders.contains(role) else {
            throw refusal(.auth, "a \(role) may not say \(message.kind)", endsSession: !isIntroduction)
        }
        guard header.runID.isEmpty || header.runID == runID else {
            throw refusal(.runMismatch, "this is run \(runID), not \(header.runID)")
        }
        return Visit(peer: peer, header: header, message: message, role: role, key: received.userID)
    }

    private func role(of message: Message, key: CurvePublicKey?, seat: Seat?) -> Role? {
        if let authorized { return key.flatMap { authorized[$0]?.role } }
        if case .hello(let hello) = message { return hello.role }
        // Without keys everybody is believed; a node without a seat is told later to say hello.
        return seat?.role
            ?? [.operator, .trainer, .rollout].first(where: message.kind.allowedSenders.contains)
    }

    /// What bytes that are no message deserve; one of a later program only is counted.
    private func trespass(_ received: ReceivedMessage, _ error: WireError) -> Trespass {
        var answer: Message.Refuse?
        var offender: NodeID?
        switch error {
        case .unknownKind: break
        case .unsupportedVersion: answer = Message.Refuse(code: .version, text: error.description)
        default:
            if let key = received.userID {
                offender = book.withLock { $0.seats.first { $0.value.key == key }?.key }
            }
        }
        return Trespass(peer: received.peer, answer: answer, offender: offender, text: error.description)
    }
}
