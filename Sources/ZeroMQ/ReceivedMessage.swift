/// The name a ROUTER gives to one connection of a peer; a peer that reconnects gets a new one.
package struct RoutingID: Sendable, Hashable {
    package let bytes: [UInt8]

    package init(_ bytes: [UInt8]) { self.bytes = bytes }
}

extension RoutingID: CustomStringConvertible {
    /// The bytes in hexadecimal.
    package var description: String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}

/// One complete message as it came in.
package struct ReceivedMessage: Sendable, Equatable {
    /// Who to answer; `nil` unless the channel is a ROUTER.
    package let peer: RoutingID?
    /// The frames, without the routing id; at least one.
    package let frames: [[UInt8]]
    /// The key the peer proved to own in the CURVE handshake, as our ``Authenticator`` stated it.
    ///
    /// `nil` without encryption and on the connecting side.
    package let userID: CurvePublicKey?

    package init(peer: RoutingID?, frames: [[UInt8]], userID: CurvePublicKey?) {
        self.peer = peer
        self.frames = frames
        self.userID = userID
    }

    /// Bytes of all frames together.
    package var byteCount: Int { frames.reduce(0) { $0 + $1.count } }
}
