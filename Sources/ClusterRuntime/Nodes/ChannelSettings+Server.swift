import Coordination
import ZeroMQ

extension ChannelSettings {
    /// What a server takes from its peers, who are anybody until they prove a key and may be broken afterwards.
    ///
    /// A message is at most the largest header and body, and a payload.
    ///
    /// - Parameters:
    ///   - sendHighWaterMark: messages that wait for a peer which does not read.
    ///   - connections: open at once; one more is cut.
    static func server(
        peerRate: RateLimit,
        sendHighWaterMark: Int = 256,
        connections: Int = ServerConnections.ofHolder.count,
        handshakeTime: Duration = .seconds(5)
    ) -> ChannelSettings {
        ChannelSettings(
            sendHighWaterMark: sendHighWaterMark,
            messageByteLimit: (1 << 20) + (64 << 10),
            peerRate: peerRate,
            connectionLimit: ConnectionLimit(count: connections, unfinishedByteCount: 8 << 20),
            handshakeTime: handshakeTime
        )
    }

    /// Pieces of up to 1 MiB that wait for a peer which does not read.
    ///
    /// Who fetches has at most 4 MiB under way, 8 of trajectories, and asks for them again every two seconds until it gives
    /// its peer up after ten: 20 pieces at most, 40 of those of trajectories and of files, which are half as large. A few
    /// more than the former are enough, as what finds no room is asked for again.
    static let transferHighWaterMark = 32
}

/// How many connections a server takes.
struct ServerConnections: Sendable, Equatable {
    /// Those of a cluster of as many nodes as a coordinator lets in, and a quarter as many that are being replaced, are
    /// not known yet, or are a person's.
    static let wanted = CoordinationSettings().maximumNodes * 5 / 4
    /// Files that are no connections: the ledger, checkpoints, spools, libzmq's own.
    private static let reservedFiles = 256

    /// On each of the server's sockets.
    let count: Int

    /// - Parameters:
    ///   - sockets: that share the process's files.
    ///   - openFiles: how many the process may have open.
    init(sockets: Int, openFiles: Int) {
        count = max(16, min(Self.wanted, (openFiles - Self.reservedFiles) / sockets))
    }

    /// What a node that serves others takes on its one socket; a trainer makes up to two to a rollout.
    static let ofHolder = ServerConnections(sockets: 1, openFiles: OpenFiles.raiseLimit())

    /// Why there are fewer than wanted; nil when there are not.
    var shortage: String? {
        guard count < Self.wanted else { return nil }
        return
            "at most \(count) nodes can connect: this process may open too few files; expected a hard limit "
            + "(ulimit -Hn, LimitNOFILE) of 16384 for \(Self.wanted)"
    }
}

extension RateLimit {
    /// Of subscriptions, of which every node makes one a connection.
    static let subscription = RateLimit(perSecond: 2, burst: 32)
    /// Of messages that need a decision: pings, reports, leases.
    static let conversation = RateLimit(perSecond: 2_000, burst: 4_000)
    /// Of requests that are answered with bytes, and of pieces of up to 1 MiB.
    static let transfer = RateLimit(perSecond: 20_000, burst: 40_000)
}
