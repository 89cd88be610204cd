import ClusterMessages
import ZeroMQ

/// Serves a rollout's trajectories, and the checkpoints it has, to the trainers its authenticator allows, chunk by
/// chunk as they ask.
struct TrajectoryServer: Sendable {
    /// The ZAP domain of the trajectory plane.
    static let domain = "trajectories"
    /// The most bytes one request is answered with, whatever credit it states.
    private static let creditLimit = 4 << 20

    let channel: Channel
    /// Nil when insecure.
    let authenticator: Authenticator?
    let shelf: TrajectoryShelf
    let checkpoints: CheckpointShelf
    let signature: NodeSignature
    let meter: WorkMeter

    /// Answers until the channel is closed or the task cancelled.
    func run() async {
        var sequence: UInt64 = 0
        for await received in channel.messages {
            guard let peer = received.peer, isAllowed(received.userID) else { continue }
            guard let request = try? MessageCodec.decode(frames: received.frames).message else { continue }
            let start = ContinuousClock.now
            for answer in answers(to: request) {
                sequence += 1
                if case .fetch = request { reached(.rolloutServingChunk) }
                do {
                    let header = signature.header(sequence: sequence)
                    try await channel.send(MessageCodec.encode(answer, header: header), to: peer)
                } catch {
                    break  // The trainer is gone, or too slow: it asks again.
                }
                meter.progressed()
            }
            meter.add(start.duration(to: .now), to: .exchanging)
        }
    }

    /// A key that was revoked is not served any more, even before its connection ends.
    private func isAllowed(_ key: CurvePublicKey?) -> Bool {
        guard let authenticator else { return true }
        return key.map { authenticator.isAllowed($0, domain: Self.domain) } ?? false
    }

    private func answers(to request: Message) -> [Message] {
        switch request {
        case .fetch(let fetch): answers(to: fetch)
        case .chunkRequest(let request): checkpoints.answers(to: request)
        default: []
        }
    }

    private func answers(to fetch: Message.Fetch) -> [Message] {
        guard let trajectories = shelf.trajectories(of: fetch.hash) else {
            let text = "these trajectories are not, or no longer, here"
            return [.fetchError(.init(hash: fetch.hash, code: .notFound, text: text))]
        }
        guard fetch.offset >= 0, fetch.offset < trajectories.byteCount else {
            let text = "byte \(fetch.offset) of \(trajectories.byteCount)"
            return [.fetchError(.init(hash: fetch.hash, code: .tooLarge, text: text))]
        }
        let credit = min(max(1, fetch.creditByteCount), Self.creditLimit)
        let end = min(trajectories.byteCount, fetch.offset + credit)
        var answers: [Message] = []
        var start = fetch.offset
        while start < end {
            let payload = trajectories.piece(in: start..<end)
            answers.append(
                .chunk(
                    .init(
                        hash: fetch.hash,
                        offset: start,
                        totalByteCount: trajectories.byteCount,
                        payload: payload
                    )
                )
            )
            start += payload.count
        }
        return answers
    }
}
