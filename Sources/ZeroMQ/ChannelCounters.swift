/// What went through a channel since it was opened.
package struct ChannelCounters: Sendable, Equatable {
    /// Messages delivered to the reader's stream.
    package internal(set) var receivedCount = 0
    package internal(set) var receivedByteCount = 0
    /// Messages handed to libzmq.
    package internal(set) var sentCount = 0
    package internal(set) var sentByteCount = 0
    /// Messages thrown away because they had too many frames.
    package internal(set) var droppedForFrameCount = 0
    /// Messages thrown away because a frame was too long.
    package internal(set) var droppedForFrameSize = 0
    /// Messages thrown away because their frames together were too long.
    package internal(set) var droppedForMessageSize = 0
    /// Messages thrown away because their sender sent too many.
    package internal(set) var droppedForRate = 0
    /// Connections somebody opened; counted, as are the next three, where `connectionLimit` is set.
    package internal(set) var acceptedConnectionCount = 0
    /// Connections that passed the handshake; the rest of the accepted ones never spoke or were turned away.
    package internal(set) var admittedConnectionCount = 0
    /// Connections that are over.
    package internal(set) var endedConnectionCount = 0
    /// Connections we ended, for a message without end or for being one too many.
    package internal(set) var cutConnectionCount = 0

    mutating func received(_ message: ReceivedMessage) {
        receivedCount += 1
        receivedByteCount += message.byteCount
    }

    mutating func sent(_ frames: [[UInt8]]) {
        sentCount += 1
        sentByteCount += frames.reduce(0) { $0 + $1.count }
    }
}
