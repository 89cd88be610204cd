import ClusterMessages
import Synchronization

/// A node's place in the cluster, from a welcome until the next hello.
struct NodeSession: Sendable, Equatable {
    /// The coordinator's process.
    let coordinator: Incarnation
    /// The run's identifier.
    let runID: String
    /// All that the coordinator told.
    let welcome: Message.Welcome
    /// The membership epoch last heard of.
    var epoch: UInt64
}

/// What a node signs its messages with, on every plane.
final class NodeSignature: Sendable {
    /// This process.
    let incarnation = Incarnation.random()
    private let current = Mutex<NodeSession?>(nil)

    /// The present session; nil before the first welcome.
    var session: NodeSession? {
        get { current.withLock { $0 } }
        set { current.withLock { $0 = newValue } }
    }

    /// A header for the message of this number on its socket.
    func header(sequence: UInt64) -> MessageHeader {
        let session = session
        return MessageHeader(
            runID: session?.runID ?? "",
            sender: session?.welcome.node ?? .coordinator,
            token: session?.welcome.token ?? SessionToken(0),
            incarnation: incarnation,
            epoch: session?.epoch ?? 0,
            sequence: sequence
        )
    }
}
