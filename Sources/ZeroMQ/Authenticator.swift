import CZeroMQ
import Synchronization

/// A peer that was turned away.
package struct Refusal: Sendable, Equatable {
    /// The ZAP domain of the door it knocked at.
    package let domain: String
    /// Its network address.
    package let address: String
    /// The key it proved to own; `nil` if it used no CURVE key.
    package let key: CurvePublicKey?
}

/// The guard of all CURVE servers of a context: it lets in the keys of its table and nobody else.
///
/// It answers libzmq's questions (ZeroMQ RFC 27, ZAP). Start it before any server binds. It works on a thread of its own until the context is terminated. libzmq
/// asks it once for each connection, so a key that was revoked keeps the connections it has: check
/// ``isAllowed(_:domain:)`` for the `userID` of each message.
package final class Authenticator: Sendable {
    /// Peers turned away, for the log; only the latest 64 wait to be read.
    package let refusals: AsyncStream<Refusal>

    private let table: Mutex<[String: Set<CurvePublicKey>]>
    private let refused: AsyncStream<Refusal>.Continuation
    private let context: Context

    /// Starts the guard; throws if the context has one already.
    ///
    /// - Parameter allowed: the keys let in, by ZAP domain.
    package init(in context: Context, allowed: [String: Set<CurvePublicKey>] = [:]) throws(ZeroMQError) {
        (refusals, refused) = AsyncStream.makeStream(of: Refusal.self, bufferingPolicy: .bufferingNewest(64))
        table = Mutex(allowed)
        self.context = context
        let desk = try ZAPDesk(in: context)
        startThread(named: "zap") {
            desk.answer { request in self.decide(request) }
            self.refused.finish()
        }
    }

    /// Replaces the keys let in at `domain`; connections made from now on obey.
    package func setAllowed(_ keys: Set<CurvePublicKey>, domain: String) {
        table.withLock { $0[domain] = keys }
    }

    /// Lets in one more key.
    package func allow(_ key: CurvePublicKey, domain: String) {
        table.withLock { _ = $0[domain, default: []].insert(key) }
    }

    /// Lets a key in no more; its open connections stay, see ``isAllowed(_:domain:)``.
    package func revoke(_ key: CurvePublicKey, domain: String) {
        table.withLock { _ = $0[domain]?.remove(key) }
    }

    /// Whether the key may come in, and whether a message from it may still be heard.
    package func isAllowed(_ key: CurvePublicKey, domain: String) -> Bool {
        table.withLock { $0[domain]?.contains(key) ?? false }
    }

    /// The keys let in at `domain` now.
    package func allowedKeys(domain: String) -> Set<CurvePublicKey> {
        table.withLock { $0[domain] ?? [] }
    }

    /// Proves that the door of a bound server is guarded.
    ///
    /// A key nobody knows must be turned away, and one just allowed let in. Run it at start-up: libzmq lets everybody in when an option is missing, and says nothing.
    /// - Parameter patience: time for each of the two handshakes.
    /// - Throws: `doorOpen` if the unknown key comes in, `doorShut` if the allowed one does not.
    package func selfProbe(
        endpoint: String,
        serverKey: CurvePublicKey,
        domain: String,
        patience: Duration = .seconds(10)
    ) async throws {
        let stranger = SocketSecurity.curveClient(try .generate(), serverKey: serverKey)
        let strangerOutcome = try await handshake(at: endpoint, as: stranger, in: context, patience: patience)
        guard strangerOutcome != .accepted else { throw ZeroMQError.doorOpen(endpoint: endpoint) }
        let guest = try CurveKeyPair.generate()
        allow(guest.publicKey, domain: domain)
        defer { revoke(guest.publicKey, domain: domain) }
        let guestOutcome = try await handshake(
            at: endpoint,
            as: .curveClient(guest, serverKey: serverKey),
            in: context,
            patience: patience
        )
        guard guestOutcome == .accepted else {
            throw ZeroMQError.doorShut(endpoint: endpoint, reason: "\(guestOutcome)")
        }
    }

    private func decide(_ request: ZAPRequest) -> CurvePublicKey? {
        if let key = request.key, isAllowed(key, domain: request.domain) { return key }
        refused.yield(Refusal(domain: request.domain, address: request.address, key: request.key))
        return nil
    }
}
