import ClusterMessages
import Coordination
import ZeroMQ

/// A node as the control plane writes to it.
struct Correspondent: Sendable {
    /// Its process.
    let incarnation: Incarnation
    /// Where its last message came from.
    var peer: RoutingID
    /// Where it serves trajectories, if it does.
    let trajectoriesEndpoint: String?
    let trajectoriesPublicKey: String?
    /// The newest checkpoint it said it has.
    var checkpoint: ContentHash?
    /// The number of the last message to it: a gap tells it that one was lost.
    private var sequence: UInt64

    /// The process that said this hello; `former` is what stood in its place.
    init(_ hello: Message.Hello, _ visit: Visit, replacing former: Correspondent?) {
        sequence = former?.sequence ?? 0
        incarnation = visit.header.incarnation
        peer = visit.peer
        trajectoriesEndpoint = hello.trajectoriesEndpoint
        trajectoriesPublicKey = hello.trajectoriesPublicKey
    }

    /// The number of the next message.
    mutating func number() -> UInt64 {
        sequence += 1
        return sequence
    }
}

/// What a coordinator signs its messages with.
struct Letterhead: Sendable {
    let runID: String
    let incarnation: Incarnation

    /// The frames of a message; number 0 stands outside the order of a session.
    func frames(_ message: Message, epoch: UInt64, sequence: UInt64 = 0) throws(WireError) -> [[UInt8]] {
        let header = MessageHeader(
            runID: runID,
            sender: .coordinator,
            token: SessionToken(0),
            incarnation: incarnation,
            epoch: epoch,
            sequence: sequence
        )
        return try MessageCodec.encode(message, header: header)
    }
}

/// What the control desk wants done outside of it, in order.
enum Order: Sendable {
    /// Send frames on the control plane.
    case send([[UInt8]], to: RoutingID)
    /// Something for the averaging desk.
    case averaging(AveragingOrder)
    /// Average and store a closed round.
    case close(RoundPlan)
    /// Tell the subscribers of a new checkpoint.
    case publish(Message.Announce)
}
