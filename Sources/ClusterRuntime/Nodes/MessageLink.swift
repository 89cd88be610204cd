import ClusterMessages
import Synchronization
import ZeroMQ

/// A conversation with one server, in messages instead of frames.
final class MessageLink: Sendable {
    /// Who is at the other end, for people.
    let peer: String
    private let channel: Channel
    private let signature: NodeSignature
    private let sequence = Mutex<UInt64>(0)
    private let inbox = Inbox<Result<Message, WireError>>(limit: 256)

    init(_ channel: Channel, signature: NodeSignature, peer: String) {
        self.channel = channel
        self.signature = signature
        self.peer = peer
        Task { [inbox] in
            for await received in channel.messages {
                if let message = decode(received) { inbox.deliver(message) }
            }
            inbox.finish()
        }
    }

    /// Sends as soon as there is a connection.
    func send(_ message: Message) async throws(NodeError) {
        let number = sequence.withLock { number in
            number += 1
            return number
        }
        let frames: [[UInt8]]
        do {
            frames = try MessageCodec.encode(message, header: signature.header(sequence: number))
        } catch {
            throw .brokenProtocol(peer: "this node", reason: "\(error)")
        }
        do { try await channel.send(frames) } catch { throw .local("\(peer): \(error)") }
    }

    /// The next message; nil when none came in time or the link is closed.
    func next(within time: Duration) async throws -> Message? {
        guard let result = try await inbox.next(within: time) else { return nil }
        switch result {
        case .success(let message): return message
        case .failure(let error): throw NodeError.brokenProtocol(peer: peer, reason: "\(error)")
        }
    }

    /// Ends the conversation at once.
    func close() async { await channel.close() }
}

/// The message in what was received; nil for a kind of a later program, which is dropped.
private func decode(_ received: ReceivedMessage) -> Result<Message, WireError>? {
    do {
        return .success(try MessageCodec.decode(frames: received.frames).message)
    } catch .unknownKind {
        return nil
    } catch {
        return .failure(error)
    }
}
