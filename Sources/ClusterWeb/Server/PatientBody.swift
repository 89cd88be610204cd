import Hummingbird
import NIOCore
import Synchronization

/// Bodies for clients that may stop reading: whoever takes longer than the patience for one piece is cut off.
struct PatientBody: Sendable {
    let patience: Duration
    let channel: any Channel

    /// A body that is there.
    func whole(_ bytes: some Collection<UInt8> & Sendable) -> ResponseBody {
        ResponseBody(contentLength: bytes.count) { writer in
            let watch = StallWatch(channel, patience: patience)
            try await writer.write(ByteBuffer(bytes: bytes))
            watch.offers()
            try await writer.finish(nil)
        }
    }

    /// A body whose pieces come one by one, until one is nil.
    ///
    /// - Parameter next: may take as long as it wants.
    func pieces(
        byteCount: Int? = nil,
        _ next: @escaping @Sendable () async throws -> ByteBuffer?
    ) -> ResponseBody {
        ResponseBody(contentLength: byteCount) { writer in
            let watch = StallWatch(channel, patience: patience)
            watch.rests()
            while let piece = try await next() {
                watch.offers()
                try await writer.write(piece)
                watch.rests()
            }
            watch.offers()
            try await writer.finish(nil)
        }
    }
}

/// Closes a connection whose client does not take what it is offered; ends with its owner.
private final class StallWatch: Sendable {
    /// Since when something is offered; nil while nothing is.
    private final class Offer: Sendable {
        let since = Mutex<ContinuousClock.Instant?>(.now)
    }

    private let offer = Offer()
    private let task: Task<Void, any Error>

    /// Something is offered from now on.
    init(_ channel: any Channel, patience: Duration) {
        task = Task { [offer] in
            while true {
                try await Task.sleep(for: patience / 4)
                let waits = offer.since.withLock { $0?.duration(to: .now) }
                // What is being written throws then.
                if let waits, waits >= patience { return channel.close(promise: nil) }
            }
        }
    }

    deinit { task.cancel() }

    func offers() { offer.since.withLock { $0 = .now } }
    func rests() { offer.since.withLock { $0 = nil } }
}
