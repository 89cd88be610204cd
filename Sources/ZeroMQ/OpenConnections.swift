/// What the connections of a bound socket may amount to.
package struct ConnectionLimit: Sendable, Equatable {
    /// Connections open at once; at least 1.
    package let count: Int
    /// Bytes one connection may send without finishing a message; at least 1.
    package let unfinishedByteCount: Int

    package init(count: Int, unfinishedByteCount: Int) {
        precondition(
            count >= 1 && unfinishedByteCount >= 1,
            "a connection carries something: \(count) of them, \(unfinishedByteCount) bytes"
        )
        self.count = count
        self.unfinishedByteCount = unfinishedByteCount
    }
}

/// The connections of a bound socket by descriptor, and which of them must end.
///
/// libzmq hides an unfinished message from the application, counts only whole ones against the high-water mark
/// and bounds single frames only: a peer that sends frames without a last one fills the memory, and no option
/// stops it. The kernel knows how much came in on a connection, so one that brings more than the limit without
/// a whole message is found here.
struct OpenConnections {
    private struct Connection {
        /// What had come in when its last message was whole, or a little later.
        var receivedByteCount: UInt64 = 0
        var hasFinishedMessage = false
        /// The key it showed with its last message.
        var key: CurvePublicKey?
    }

    let limit: ConnectionLimit
    private var connections: [Int32: Connection] = [:]

    init(limit: ConnectionLimit) { self.limit = limit }

    var count: Int { connections.count }

    /// Takes note of a new connection; false for one too many.
    mutating func opened(_ descriptor: Int32) -> Bool {
        guard connections.count < limit.count || connections[descriptor] != nil else { return false }
        connections[descriptor] = Connection()
        return true
    }

    mutating func ended(_ descriptor: Int32) { connections[descriptor] = nil }

    /// A whole message came in, from the owner of a key.
    mutating func finishedMessage(_ descriptor: Int32, from key: CurvePublicKey?) {
        connections[descriptor]?.hasFinishedMessage = true
        connections[descriptor]?.key = key
    }

    /// The connections that showed another key than these.
    func strangers(to keys: Set<CurvePublicKey>) -> [Int32] {
        connections.filter { $0.value.key.map { !keys.contains($0) } ?? false }.keys.sorted()
    }

    /// Forgets and returns the connections that sent too much since their last whole message.
    ///
    /// - Parameters:
    ///   - isReading: whether the socket is read; what piles up while it is not is no peer's fault.
    ///   - receivedByteCount: all that came in on a connection; `nil` if nobody knows.
    mutating func takeEndless(
        isReading: Bool,
        receivedByteCount: (Int32) -> UInt64?
    ) -> [Int32] {
        var endless: [Int32] = []
        for (descriptor, var connection) in connections {
            guard let received = receivedByteCount(descriptor) else { continue }
            let isSettled = connection.hasFinishedMessage || !isReading
            if isSettled || received < connection.receivedByteCount {
                connection.receivedByteCount = received
                connection.hasFinishedMessage = false
                connections[descriptor] = connection
            } else if received - connection.receivedByteCount > UInt64(limit.unfinishedByteCount) {
                connections[descriptor] = nil
                endless.append(descriptor)
            }
        }
        return endless.sorted()
    }
}
