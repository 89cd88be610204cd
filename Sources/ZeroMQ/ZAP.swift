import CZeroMQ

/// A libzmq server's question whether a peer may come in (ZeroMQ RFC 27, ZAP).
struct ZAPRequest {
    let id: [UInt8]
    let domain: String
    /// The peer's network address.
    let address: String
    /// The key the peer proved to own; `nil` for any mechanism but CURVE.
    let key: CurvePublicKey?

    /// Reads the frames version, request id, domain, address, identity, mechanism, credentials; `nil` if they
    /// are not that.
    init?(_ frames: [[UInt8]]) {
        guard frames.count >= 6, frames[0] == zapVersion else { return nil }
        id = frames[1]
        domain = String(decoding: frames[2], as: UTF8.self)
        address = String(decoding: frames[3], as: UTF8.self)
        let isCurve = frames.count == 7 && frames[5] == Array("CURVE".utf8)
        key = isCurve ? CurvePublicKey(bytes: frames[6]) : nil
    }

    /// The frames version, request id, status, text, user id, metadata that tell libzmq the verdict.
    func reply(_ verdict: ZAPVerdict) -> [[UInt8]] {
        let (status, text, user) =
            switch verdict {
            case .letIn(let key): ("200", "OK", key.text)
            case .notNow: ("300", "key not allowed", "")
            case .never: ("400", "key not allowed", "")
            }
        return [zapVersion, id, Array(status.utf8), Array(text.utf8), Array(user.utf8), []]
    }
}

/// What becomes of a peer at the door.
enum ZAPVerdict {
    /// It comes in, and its messages carry this key.
    case letIn(CurvePublicKey)
    /// It stays outside and its libzmq tries again, as after a lost connection.
    case notNow
    /// It is told that it stays outside. Its libzmq then gives up for good and says nothing to anybody.
    case never
}

private let zapVersion = Array("1.0".utf8)

/// The socket libzmq brings its questions to; used by one thread at a time.
final class ZAPDesk: @unchecked Sendable {
    private let socket: Socket

    init(in context: Context) throws(ZeroMQError) {
        socket = try Socket(ZMQ_REP, in: context)
        _ = try socket.bind(to: "inproc://zeromq.zap.01")
    }

    /// Answers until the context is shut down.
    func answer(_ decide: (ZAPRequest) -> ZAPVerdict) {
        do {
            while true { try answerOne(decide) }
        } catch {
            // The shutdown: nothing else makes a socket that waits give up.
        }
    }

    private func answerOne(_ decide: (ZAPRequest) -> ZAPVerdict) throws(ZeroMQError) {
        let reception = try socket.receive(MessageLimit(frameCount: 7, frameByteCount: 4096), waits: true)
        guard case .message(let frames) = reception?.content, let request = ZAPRequest(frames) else {
            // Not from libzmq; but a REP socket must answer before it hears the next one.
            _ = try socket.send([[]])
            return
        }
        _ = try socket.send(request.reply(decide(request)))
    }
}
