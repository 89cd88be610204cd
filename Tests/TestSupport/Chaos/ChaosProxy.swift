import Foundation
import Synchronization

/// Stands between who connects and who listens, on TCP, and spoils what goes by: delays, narrows, holds, cuts and
/// changes it.
///
/// It knows nothing of what is said. Every connection has two threads, one for each way.
package final class ChaosProxy: Sendable {
    /// What it has done, to be shown by tests.
    package struct Tally: Sendable, Equatable {
        package var accepted = 0
        package var byteCount = 0
        /// Connections ended by a reset.
        package var cut = 0
        /// Bytes changed.
        package var corrupted = 0
        /// Looks at bytes that would have gone on, had their way not been silent.
        package var held = 0
    }

    private struct Books {
        var weather = Weather.fair
        var tally = Tally()
        var connections: [ProxiedConnection] = []
        var isClosed = false
    }

    private let books = Mutex(Books())

    /// Listens at `host`, and hands everything on to the same ports of `target`.
    package init(at host: String, to target: String, ports: Range<Int>) throws {
        for port in ports {
            let listener = try TCPSocket(listeningAt: host, port: port)
            Thread.detachNewThread { [self] in
                while !isClosed {
                    guard let client = try? listener.accept(within: 50) else { continue }
                    connect(client, to: target, port)
                }
                listener.close()
            }
        }
    }

    /// What the wire does from now on, on all connections.
    package var weather: Weather {
        get { books.withLock(\.weather) }
        set { books.withLock { $0.weather = newValue } }
    }

    /// What it has done so far.
    package var tally: Tally { books.withLock(\.tally) }

    /// Resets all connections, towards both sides.
    package func cut() {
        books.withLock { books in
            for connection in books.connections where connection.cut() { books.tally.cut += 1 }
            books.connections = []
        }
    }

    /// Ends everything.
    package func close() {
        books.withLock { $0.isClosed = true }
        cut()
    }

    private var isClosed: Bool { books.withLock(\.isClosed) }

    private func connect(_ client: TCPSocket, to target: String, _ port: Int) {
        guard let server = try? TCPSocket(connectingTo: target, port: port) else {
            // As a port at which nobody listens.
            client.forgetPeer()
            return client.close()
        }
        let connection = ProxiedConnection(client, server)
        books.withLock { books in
            books.tally.accepted += 1
            books.connections.removeAll(where: \.isOver)
            books.connections.append(connection)
        }
        for way in Weather.Way.allCases {
            Thread.detachNewThread { [self] in
                pump(connection, way)
                connection.end()
            }
        }
    }

    // MARK: One way of a connection

    /// Bytes and when they go on.
    private struct Parcel {
        let due: ContinuousClock.Instant
        var bytes: ArraySlice<UInt8>
    }

    /// Bytes on the way at most.
    private static let limit = 1 << 20

    private func pump(_ connection: ProxiedConnection, _ way: Weather.Way) {
        let (source, target) = connection.ends(way)
        var parcels: [Parcel] = []
        var position = 0
        var isFree = ContinuousClock.now
        var hasEnded = false
        while !connection.isOver, !(hasEnded && parcels.isEmpty) {
            let weather = weather
            guard !weather.silent.contains(way) else {
                if !parcels.isEmpty || source.isReadable(within: 0) { books.withLock { $0.tally.held += 1 } }
                Thread.sleep(forTimeInterval: 0.005)
                continue
            }
            while let parcel = parcels.first, max(parcel.due, isFree) <= .now {
                guard let sent = target.write(parcel.bytes) else { return }
                books.withLock { $0.tally.byteCount += sent }
                if let rate = weather.bytesPerSecond {
                    isFree = max(isFree, parcel.due) + .nanoseconds(1_000_000_000 * sent / rate)
                }
                parcels[0].bytes = parcel.bytes.dropFirst(sent)
                if !parcels[0].bytes.isEmpty { break }
                parcels.removeFirst()
            }
            let isFull = parcels.reduce(0) { $0 + $1.bytes.count } >= Self.limit
            guard !isFull, !hasEnded, source.isReadable(within: parcels.isEmpty ? 20 : 1) else {
                if isFull || hasEnded { Thread.sleep(forTimeInterval: 0.001) }
                continue
            }
            // In small pieces on a narrow wire, so that it flows evenly.
            let piece = min(64 << 10, max(1 << 10, (weather.bytesPerSecond ?? .max) / 50))
            guard var bytes = source.read(piece) else { return }
            // What is on the way still arrives.
            hasEnded = bytes.isEmpty
            if let interval = weather.corruptionInterval {
                corrupt(&bytes, from: position, every: interval)
            }
            position += bytes.count
            parcels.append(Parcel(due: .now + weather.delay, bytes: bytes[...]))
        }
    }

    /// Changes the bytes of a stream whose positions are multiples of the interval.
    private func corrupt(_ bytes: inout [UInt8], from position: Int, every interval: Int) {
        let first = (interval - position % interval) % interval
        let places = stride(from: first, to: bytes.count, by: interval).map(\.self)
        for place in places { bytes[place] ^= 0x20 }
        books.withLock { $0.tally.corrupted += places.count }
    }
}

/// Two sockets and the threads between them.
private final class ProxiedConnection: Sendable {
    private let client: TCPSocket
    private let server: TCPSocket
    /// Threads that still use the sockets, and whether they are to stop.
    private let users = Mutex((count: Weather.Way.allCases.count, isOver: false))

    init(_ client: TCPSocket, _ server: TCPSocket) {
        self.client = client
        self.server = server
    }

    var isOver: Bool { users.withLock(\.isOver) }

    func ends(_ way: Weather.Way) -> (source: TCPSocket, target: TCPSocket) {
        way == .forth ? (client, server) : (server, client)
    }

    /// Ends it by a reset; false if it is over already.
    func cut() -> Bool {
        users.withLock { users in
            guard !users.isOver else { return false }
            users.isOver = true
            client.forgetPeer()
            server.forgetPeer()
            return true
        }
    }

    /// One of the threads has ended: so does the other, and the last closes the sockets.
    func end() {
        let isLast = users.withLock { users in
            users.isOver = true
            users.count -= 1
            return users.count == 0
        }
        guard isLast else { return }
        client.close()
        server.close()
    }
}
