import ClusterMessages
import ZeroMQ

/// The coordinator's four sockets, bound and, unless insecure, proved to be guarded.
struct CoordinatorSockets: Sendable {
    /// A socket that is bound, and how nodes reach it.
    struct Door: Sendable {
        let channel: Channel
        let endpoint: String
    }

    /// The ZAP domains, one a set of roles.
    private enum Domain {
        static let control = "control"
        static let averaging = "averaging"
        static let checkpoints = "checkpoints"
    }

    let context: Context
    /// The guard; nil when insecure.
    let authenticator: Authenticator?
    let control: Door
    let averaging: Door
    let checkpoints: Door
    let announcements: Door
    /// How many nodes can connect to each.
    let connections: ServerConnections

    /// What went through each of them so far.
    var counts: [RunStatus.Door] {
        get async {
            let doors = [
                ("control", control), ("averaging", averaging), ("checkpoints", checkpoints),
                ("announcements", announcements),
            ]
            var counts: [RunStatus.Door] = []
            for (name, door) in doors { counts.append(.init(name, await door.channel.counters)) }
            return counts
        }
    }

    /// Binds all of them; averaging has a thread of its own, so that offers do not hold up pings.
    init(_ options: CoordinatorOptions, authorized: AuthorizedNodes?) async throws {
        let context = try Context(ioThreadCount: 2, allowsInsecure: options.isInsecure)
        self.context = context
        authenticator = try authorized.map { authorized throws(ZeroMQError) in
            try Authenticator(in: context, allowed: Self.allowed(by: authorized))
        }
        let small = SocketThread(name: "coordinator-io")
        connections = ServerConnections(sockets: 4, openFiles: OpenFiles.raiseLimit())
        let opening = Opening(
            options: options,
            context: context,
            authenticator: authenticator,
            connections: connections
        )
        control = try await opening.open(.router, Domain.control, options.ports.control, on: small)
        averaging = try await opening.open(
            .router,
            Domain.averaging,
            options.ports.averaging,
            on: SocketThread(name: "averaging-io")
        )
        checkpoints = try await opening.open(
            .router,
            Domain.checkpoints,
            options.ports.checkpoints,
            on: small
        )
        announcements = try await opening.open(
            .publisher,
            Domain.checkpoints,
            options.ports.announcements,
            on: small
        )
    }

    /// How long a revoked key may stay on the control plane, where it hears that it is revoked and may leave.
    private static let farewell: Duration = .seconds(10)

    /// Lets in the keys of a list and nobody else from now on, and ends the connections of all others.
    func admit(_ authorized: AuthorizedNodes) async {
        let allowed = Self.allowed(by: authorized)
        for (domain, keys) in allowed { authenticator?.setAllowed(keys, domain: domain) }
        let rooms = [
            (control, Domain.control, Self.farewell), (averaging, Domain.averaging, .zero),
            (checkpoints, Domain.checkpoints, .zero), (announcements, Domain.checkpoints, .zero),
        ]
        for (door, domain, grace) in rooms {
            await door.channel.expel(allBut: allowed[domain] ?? [], after: grace)
        }
    }

    private static func allowed(by authorized: AuthorizedNodes) -> [String: Set<CurvePublicKey>] {
        let everybody = authorized.keys(of: [.rollout, .trainer, .operator])
        return [
            Domain.control: everybody,
            Domain.averaging: authorized.keys(of: [.trainer]),
            Domain.checkpoints: everybody,
        ]
    }

    private struct Opening {
        let options: CoordinatorOptions
        let context: Context
        let authenticator: Authenticator?
        let connections: ServerConnections

        func open(
            _ kind: ChannelKind,
            _ domain: String,
            _ port: Int,
            on thread: SocketThread
        ) async throws -> Door {
            let channel = try Channel(
                kind,
                in: context,
                on: thread,
                security: options.isInsecure ? .plain : .curveServer(options.keys, domain: domain),
                settings: .server(
                    peerRate: kind == .publisher
                        ? .subscription : domain == Domain.control ? .conversation : .transfer,
                    sendHighWaterMark: domain == Domain.control ? 256 : ChannelSettings.transferHighWaterMark,
                    connections: connections.count,
                    handshakeTime: options.handshakeTime
                )
            )
            let bound = try await channel.bind(
                to: "tcp://\(options.bindHost):\(port == 0 ? "*" : String(port))"
            )
            let chosen = bound.split(separator: ":").last ?? ""
            // The probe is a DEALER, which a publisher turns away for what it is; the publisher shares domain
            // and options with the checkpoints' ROUTER.
            if kind == .router {
                let serverKey = options.keys.publicKey
                try await authenticator?.selfProbe(endpoint: bound, serverKey: serverKey, domain: domain)
            }
            return Door(channel: channel, endpoint: "tcp://\(options.advertisedHost):\(chosen)")
        }
    }
}
