/// What every message says of its sender.
///
/// The kind and the length and checksum of the payload stand beside these on the wire; ``MessageCodec`` writes
/// and checks them.
package struct MessageHeader: Sendable, Hashable {
    /// The version this program writes.
    package static let currentVersion: UInt32 = 1
    /// The versions this program understands.
    package static let supportedVersions: ClosedRange<UInt32> = 1...1

    /// The version the message is written in.
    package let protocolVersion: UInt32
    /// The run it belongs to; empty where the sender does not know it yet.
    package let runID: String
    /// The sender's number; the coordinator's, 0, also before a node was welcomed.
    package let sender: NodeID
    /// The token of the sender's welcome; 0 before, and in what the coordinator sends.
    package let token: SessionToken
    /// The sender's present life.
    package let incarnation: Incarnation
    /// The membership epoch the sender knows; 0 before it was welcomed.
    package let epoch: UInt64
    /// Counts the sender's messages on one socket.
    package let sequence: UInt64

    /// A header of these fields in the current version.
    package init(
        protocolVersion: UInt32 = MessageHeader.currentVersion,
        runID: String,
        sender: NodeID,
        token: SessionToken,
        incarnation: Incarnation,
        epoch: UInt64,
        sequence: UInt64
    ) {
        self.protocolVersion = protocolVersion
        self.runID = runID
        self.sender = sender
        self.token = token
        self.incarnation = incarnation
        self.epoch = epoch
        self.sequence = sequence
    }
}
