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

    mutating func received(_ message: ReceivedMessage) {
        receivedCount += 1
        receivedByteCount += message.byteCount
    }

    mutating func sent(_ frames: [[UInt8]]) {
        sentCount += 1
        sentByteCount += frames.reduce(0) { $0 + $1.count }
    }
}
