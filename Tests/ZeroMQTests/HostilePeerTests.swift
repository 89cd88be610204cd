import TestSupport
import Testing

@testable import ZeroMQ

/// Peers that do not speak as libzmq does: a bound socket outlives them, counts them and serves the others.
@Suite(.serialized, .timeLimit(.minutes(2))) struct HostilePeerTests {
    private let guarded = ChannelSettings(
        connectionLimit: ConnectionLimit(count: 8, unfinishedByteCount: 8 << 20),
        handshakeTime: .milliseconds(300)
    )

    /// Frames that say that more will follow, for as long as somebody takes them.
    private static let endless = [
        #"while :; do { printf '\x03\0\0\0\0\0\x10\0\0'; head -c 1048576 /dev/zero; } >&3 || exit; done"#,
        #"yes $'\x01\x01a' | tr -d '\n' >&3"#,
    ]

    @Test(arguments: endless)
    func `a message without end costs its sender the connection, and the memory stays bounded`(
        script: String
    ) async throws {
        try await withCluster { cluster in
            let (router, dealer) = try await cluster.pair(router: guarded)
            try await dealer.send([bytes("before")])
            #expect(try await router.next().frames == [bytes("before")])
            let before = try residentByteCount()
            let endpoint = try await router.bind(to: "tcp://127.0.0.1:*")
            let peer = try RawPeer(endpoint: endpoint, script: RawPeer.plainHandshake + script)
            var peak = before
            try await within(waitingFor: "the end of the peer") {
                while await router.counters.cutConnectionCount == 0 { await Task.yield() }
            }
            while peer.isRunning {
                peak = max(peak, try residentByteCount())
                try await Task.sleep(for: .milliseconds(10))
            }
            peak = max(peak, try residentByteCount())
            #expect(peak - before < 512 << 20, "\((peak - before) >> 20) MiB more than before")
            try await dealer.send([bytes("after")])
            #expect(try await router.next().frames == [bytes("after")])
            #expect(await router.counters.cutConnectionCount == 1)
            #expect(await router.counters.receivedCount == 2)
        }
    }

    @Test func `a frame over the limit of the wire costs its sender the connection`() async throws {
        try await withCluster { cluster in
            let (router, dealer) = try await cluster.pair(router: guarded)
            let endpoint = try await router.bind(to: "tcp://127.0.0.1:*")
            let frame = #"printf '\x02\0\0\0\0\x10\0\0\0' >&3; cat <&3 >/dev/null"#
            let peer = try RawPeer(endpoint: endpoint, script: RawPeer.plainHandshake + frame)
            try await eventually("the end of the connection") {
                await router.counters.endedConnectionCount == 1
            }
            try await eventually("the end of the peer") { !peer.isRunning }
            try await dealer.send([bytes("after")])
            #expect(try await router.next().frames == [bytes("after")])
        }
    }

    /// Bytes that never become a handshake.
    private static let unfinished = [
        #"printf '\xff\0\0\0\0\0\0\0\0\x7f\x03' >&3; cat <&3 >/dev/null"#,
        #"while :; do printf '\xff' >&3 || exit; sleep 0.05; done"#,
        "cat <&3 >/dev/null",
    ]

    @Test(arguments: unfinished)
    func `a connection that never introduces itself is ended and was never admitted`(script: String)
        async throws
    {
        try await withCluster { cluster in
            let (router, dealer) = try await cluster.pair(router: guarded)
            try await dealer.send([bytes("before")])
            #expect(try await router.next().frames == [bytes("before")])
            let endpoint = try await router.bind(to: "tcp://127.0.0.1:*")
            let peer = try RawPeer(endpoint: endpoint, script: script)
            try await eventually("the end of the connection") {
                await router.counters.endedConnectionCount == 1
            }
            #expect(await router.counters.acceptedConnectionCount == 2)
            #expect(await router.counters.admittedConnectionCount == 1)
            try await dealer.send([bytes("after")])
            #expect(try await router.next().frames == [bytes("after")])
            withExtendedLifetime(peer) {}
        }
    }

    @Test func `a connection too many is cut, and those that were here stay`() async throws {
        try await withCluster { cluster in
            let (router, dealer) = try await cluster.pair(router: guarded)
            try await dealer.send([bytes("before")])
            #expect(try await router.next().frames == [bytes("before")])
            let endpoint = try await router.bind(to: "tcp://127.0.0.1:*")
            let peers = try (0..<20).map { _ in
                try RawPeer(endpoint: endpoint, script: RawPeer.plainHandshake + "sleep 60")
            }
            try await eventually("all of them to have come") {
                await router.counters.acceptedConnectionCount >= 21
            }
            try await eventually("the rest to be cut") { await router.counters.cutConnectionCount == 13 }
            try await dealer.send([bytes("after")])
            #expect(try await router.next().frames == [bytes("after")])
            withExtendedLifetime(peers) {}
        }
    }

    @Test func `a peer that talks too fast is not heard for a while, and another one is`() async throws {
        try await withCluster { cluster in
            var settings = guarded
            settings.peerRate = RateLimit(perSecond: 1, burst: 10)
            let (router, dealer) = try await cluster.pair(
                router: settings,
                dealer: ChannelSettings(outbox: QueueLimit(messageCount: 2000, byteCount: 1 << 20))
            )
            let other = try cluster.channel(.dealer)
            try await other.connect(to: router.bind(to: "tcp://127.0.0.1:*"))
            for number in 0..<1000 { try await dealer.send([bytes("\(number)")]) }
            for number in 0..<10 { #expect(try await router.next().frames == [bytes("\(number)")]) }
            try await eventually("the rest to be dropped") {
                await router.counters.droppedForRate + router.counters.receivedCount == 1000
            }
            try await other.send([bytes("calm")])
            while try await router.next().frames != [bytes("calm")] {}
            #expect(await router.counters.droppedForRate > 900)
        }
    }

    @Test func `frames that are too much together are dropped and counted`() async throws {
        try await withCluster { cluster in
            var settings = guarded
            settings.messageByteLimit = 1000
            let (router, dealer) = try await cluster.pair(router: settings)
            try await dealer.send([pattern(byteCount: 600), pattern(byteCount: 800)])
            try await dealer.send([pattern(byteCount: 600), pattern(byteCount: 400)])
            #expect(try await router.next().byteCount == 1000)
            #expect(await router.counters.droppedForMessageSize == 1)
        }
    }
}
