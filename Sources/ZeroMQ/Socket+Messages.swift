import CZeroMQ
import Glibc

/// What a whole message may measure, apart from a ROUTER's routing id.
struct MessageLimit {
    var frameCount: Int
    var frameByteCount: Int
    /// Bytes of all frames together.
    var byteCount = Int.max
}

/// What came out of a socket.
struct Reception {
    enum Content {
        /// A whole message: its frames.
        case message([[UInt8]])
        /// A message of too many frames; it was taken from the socket and thrown away.
        case tooManyFrames
        /// A message with a frame over the limit; it was taken from the socket and thrown away.
        case oversizeFrame
        /// A message whose frames together are over the limit; it was taken from the socket and thrown away.
        case oversizeMessage
    }

    let content: Content
    /// The user the ZAP handler named for the connection.
    let userID: String?
    /// The descriptor of the connection it came in on; negative where there is none.
    let source: Int32
}

/// What became of a message handed to a socket.
enum Dispatch {
    case taken
    /// Every queue it could go to is full, or there is none yet.
    case noRoom
    /// A ROUTER does not know the peer.
    case unreachable
}

extension Socket {
    /// Takes one message, or returns `nil` when there is none and `waits` is false.
    func receive(_ limit: MessageLimit, waits: Bool = false) throws(ZeroMQError) -> Reception? {
        let raw = unsafe try opened()
        var frame = zmq_msg_t()
        return unsafe try withUnsafeMutablePointer(to: &frame) { frame throws(ZeroMQError) in
            unsafe zmq_msg_init(frame)
            defer { unsafe zmq_msg_close(frame) }
            var frames: [[UInt8]] = []
            var frameCount = 0
            var byteCount = 0
            var hasOversizeFrame = false
            repeat {
                while unsafe zmq_msg_recv(frame, raw, waits ? 0 : ZMQ_DONTWAIT) < 0 {
                    let code = zmq_errno()
                    if code == EAGAIN { return nil }
                    guard code == EINTR else { throw .last("zmq_msg_recv") }
                }
                frameCount += 1
                let size = unsafe zmq_msg_size(frame)
                byteCount += size
                if size > limit.frameByteCount { hasOversizeFrame = true }
                // Nothing of a message that will be dropped is worth copying.
                if !hasOversizeFrame && frameCount <= limit.frameCount && byteCount <= limit.byteCount {
                    frames.append(unsafe bytes(of: frame))
                }
            } while unsafe zmq_msg_more(frame) != 0
            let content: Reception.Content =
                if frameCount > limit.frameCount {
                    .tooManyFrames
                } else if hasOversizeFrame {
                    .oversizeFrame
                } else if byteCount > limit.byteCount {
                    .oversizeMessage
                } else {
                    .message(frames)
                }
            return unsafe Reception(
                content: content,
                userID: userID(of: frame),
                source: zmq_msg_get(frame, ZMQ_SRCFD)
            )
        }
    }

    /// Hands a whole message to libzmq without waiting; unless all of it is taken, nothing is.
    func send(_ frames: [[UInt8]]) throws(ZeroMQError) -> Dispatch {
        let raw = unsafe try opened()
        for (index, frame) in frames.enumerated() {
            let more = index + 1 < frames.count ? ZMQ_SNDMORE : 0
            var message = try zmq_msg_t(of: frame)
            while unsafe zmq_msg_send(&message, raw, ZMQ_DONTWAIT | more) < 0 {
                let code = zmq_errno()
                if code == EINTR { continue }
                unsafe zmq_msg_close(&message)
                // A connection that breaks within a message takes the message with it; libzmq then wants the
                // remaining frames, to throw them away too.
                if code == EAGAIN && index > 0 { break }
                if code == EAGAIN { return .noRoom }
                if code == EHOSTUNREACH { return .unreachable }
                throw .failed(operation: "zmq_msg_send", code: code)
            }
        }
        return .taken
    }
}

extension zmq_msg_t {
    /// Frames from this size on are handed over as they are: copying smaller ones takes less than letting go of them.
    private static let sharedByteCount = 16 << 10

    /// A message that is to be sent or closed once.
    fileprivate init(of frame: [UInt8]) throws(ZeroMQError) {
        self = zmq_msg_t()
        guard frame.count >= Self.sharedByteCount else {
            guard unsafe zmq_msg_init_size(&self, frame.count) == 0 else { throw .last("zmq_msg_init_size") }
            if let target = unsafe zmq_msg_data(&self) { unsafe memcpy(target, frame, frame.count) }
            return
        }
        let owner = unsafe Unmanaged.passRetained(FrameOwner(frame)).toOpaque()
        // The elements of an array stay where they are as long as somebody holds it and nobody else changes it; who
        // wants to change an array that is held twice makes a copy.
        let status = unsafe frame.withUnsafeBytes { bytes in
            unsafe zmq_msg_init_data(
                &self,
                unsafe UnsafeMutableRawPointer(mutating: bytes.baseAddress),
                bytes.count,
                { _, owner in
                    if let owner = unsafe owner { unsafe Unmanaged<FrameOwner>.fromOpaque(owner).release() }
                },
                owner
            )
        }
        guard status == 0 else {
            unsafe Unmanaged<FrameOwner>.fromOpaque(owner).release()
            throw .last("zmq_msg_init_data")
        }
    }
}

/// Holds a frame's bytes until libzmq has written them out, on whatever thread that is.
private final class FrameOwner: Sendable {
    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }
}

/// The frame's bytes, copied: libzmq's own may start at any address.
private func bytes(of frame: UnsafeMutablePointer<zmq_msg_t>) -> [UInt8] {
    let count = unsafe zmq_msg_size(frame)
    guard let source = unsafe zmq_msg_data(frame), count > 0 else { return [] }
    return unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initializedCount in
        if let target = buffer.baseAddress { unsafe memcpy(target, source, count) }
        initializedCount = count
    }
}

private func userID(of frame: UnsafeMutablePointer<zmq_msg_t>) -> String? {
    guard let text = unsafe zmq_msg_gets(frame, "User-Id") else { return nil }
    return unsafe String(cString: text)
}
