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
/// It answers libzmq's questions (ZeroMQ RFC 27, ZAP) on a thread of its own until the context is terminated.
/// Start it before any server binds. libzmq asks once for each connection, so a key that was revoked keeps
/// the connections it has until ``Channel/expel(allBut:after:)`` ends them.
///
/// A peer that is turned away comes back by itself every `ChannelSettings.handshakeTime` or so, and gets in
/// once its key is allowed.
package final class Authenticator: Sendable {
    private struct Table {
        var allowed: [String: Set<CurvePublicKey>] = [:]
        /// Our own throw-away keys, see ``Authenticator/selfProbe(endpoint:serverKey:domain:patience:)``.
        var strangers: Set<CurvePublicKey> = []
    }

    /// Peers turned away, for the log; only the latest 64 wait to be read.
    package let refusals: AsyncStream<Refusal>

    private let table: Mutex<Table>
    private let refused: AsyncStream<Refusal>.Continuation
    private let context: Context

    /// Starts the guard; throws if the context has one already.
    ///
    /// - Parameter allowed: the keys let in, by ZAP domain.
    package init(in context: Context, allowed: [String: Set<CurvePublicKey>] = [:]) throws(ZeroMQError) {
        (refusals, refused) = AsyncStream.makeStream(of: Refusal.self, bufferingPolicy: .bufferingNewest(64))
        table = Mutex(Table(allowed: allowed))
        self.context = context
        let desk = try ZAPDesk(in: context)
        startThread(named: "zap") {
            desk.answer { request in self.decide(request) }
            self.refused.finish()
        }
    }

    /// The keys let in at `domain` now.
    package func allowedKeys(domain: String) -> Set<CurvePublicKey> {
        table.withLock { $0.allowed[domain] ?? [] }
    }

    /// Replaces the keys let in at `domain`; connections made from now on obey.
    package func setAllowed(_ keys: Set<CurvePublicKey>, domain: String) {
        table.withLock { $0.allowed[domain] = keys }
    }

    /// Lets in one more key.
    package func allow(_ key: CurvePublicKey, domain: String) {
        table.withLock { _ = $0.allowed[domain, default: []].insert(key) }
    }

    /// Lets a key in no more; its open connections stay, see ``Channel/expel(allBut:after:)``.
    package func revoke(_ key: CurvePublicKey, domain: String) {
        table.withLock { _ = $0.allowed[domain]?.remove(key) }
    }

    /// Whether the key may come in, and whether a message from it may still be heard.
    package func isAllowed(_ key: CurvePublicKey, domain: String) -> Bool {
        table.withLock { $0.allowed[domain]?.contains(key) ?? false }
    }

    private func decide(_ request: ZAPRequest) -> ZAPVerdict {
        let verdict = table.withLock { table -> ZAPVerdict in
            guard let key = request.key else { return .notNow }
            if table.allowed[request.domain]?.contains(key) ?? false { return .letIn(key) }
            return table.strangers.contains(key) ? .never : .notNow
        }
        if case .notNow = verdict {
            refused.yield(Refusal(domain: request.domain, address: request.address, key: request.key))
        }
        return verdict
    }
}

extension Authenticator {
    /// Proves that the door of a bound server is guarded.
    ///
    /// A key nobody knows must be turned away, and one just allowed let in. Run it at start-up: libzmq lets
    /// everybody in when an option is missing, and says nothing.
    /// - Parameter patience: time for each of the two handshakes.
    /// - Throws: `doorOpen` if the unknown key comes in, `doorShut` if the allowed one does not.
    package func selfProbe(
        endpoint: String,
        serverKey: CurvePublicKey,
        domain: String,
        patience: Duration = .seconds(10)
    ) async throws {
        let stranger = try CurveKeyPair.generate()
        // A stranger of our own is told plainly, so that we need not wait until its time is over.
        table.withLock { _ = $0.strangers.insert(stranger.publicKey) }
        defer { table.withLock { _ = $0.strangers.remove(stranger.publicKey) } }
        let strangerOutcome = try await handshake(
            at: endpoint,
            as: .curveClient(stranger, serverKey: serverKey),
            in: context,
            patience: patience
        )
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
            throw ZeroMQError.doorShut(endpoint: endpoint, reason: guestOutcome.description)
        }
    }
}
