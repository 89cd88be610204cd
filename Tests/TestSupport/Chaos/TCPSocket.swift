import Foundation
import Glibc

/// A TCP socket of the system, without any library between: what chaos is made of.
package struct TCPSocket: Sendable {
    /// A call of the system's that failed.
    package struct Failure: Error, CustomStringConvertible {
        let call: String
        let code: Int32
        package var description: String {
            "\(call): \(POSIXErrorCode(rawValue: code).map { "\($0)" } ?? "\(code)")"
        }
    }

    private let descriptor: Int32

    private init(descriptor: Int32) { self.descriptor = descriptor }

    private init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        try Self.check(descriptor, "socket")
    }

    /// Listens at an address of this machine.
    package init(listeningAt host: String, port: Int) throws {
        self = try TCPSocket()
        do {
            set(SOL_SOCKET, SO_REUSEADDR, Int32(1))
            var address = try Self.address(host, port)
            let size = socklen_t(MemoryLayout.size(ofValue: address))
            let result = unsafe withUnsafePointer(to: &address) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe bind(descriptor, $0, size)
                }
            }
            try Self.check(result, "bind to \(host):\(port)")
            try Self.check(listen(descriptor, 64), "listen")
        } catch {
            close()
            throw error
        }
    }

    /// Connects; on this machine that is done, or refused, at once.
    package init(connectingTo host: String, port: Int) throws {
        self = try TCPSocket()
        do {
            var address = try Self.address(host, port)
            let size = socklen_t(MemoryLayout.size(ofValue: address))
            let result = unsafe withUnsafePointer(to: &address) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe connect(descriptor, $0, size)
                }
            }
            try Self.check(result, "connect to \(host):\(port)")
            prepare()
        } catch {
            close()
            throw error
        }
    }

    /// The next connection; nil when none came in time.
    func accept(within milliseconds: Int32) throws -> TCPSocket? {
        guard isReadable(within: milliseconds) else { return nil }
        let accepted = Glibc.accept(descriptor, nil, nil)
        try Self.check(accepted, "accept")
        let socket = TCPSocket(descriptor: accepted)
        socket.prepare()
        return socket
    }

    /// Whether there is something to read, or an end, before that time is over.
    package func isReadable(within milliseconds: Int32) -> Bool {
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&request, 1, milliseconds) > 0
    }

    /// What has arrived, at most `limit` bytes; empty at the end, nil when the connection failed.
    package func read(_ limit: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: limit)
        let count = unsafe bytes.withUnsafeMutableBytes {
            unsafe recv(descriptor, $0.baseAddress, $0.count, 0)
        }
        return count < 0 ? nil : Array(bytes.prefix(count))
    }

    /// Sends what fits without waiting long; nil when the connection failed.
    package func write(_ bytes: ArraySlice<UInt8>) -> Int? {
        let count = unsafe bytes.withUnsafeBytes {
            unsafe send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        return count < 0 ? (errno == EAGAIN ? 0 : nil) : count
    }

    /// Lets the end of the connection be a reset.
    func forgetPeer() { set(SOL_SOCKET, SO_LINGER, linger(l_onoff: 1, l_linger: 0)) }

    package func close() { _ = Glibc.close(descriptor) }

    // MARK: Details

    /// No waiting for more to send, and no sending for longer than a moment.
    private func prepare() {
        set(Int32(IPPROTO_TCP), TCP_NODELAY, Int32(1))
        set(SOL_SOCKET, SO_SNDTIMEO, timeval(tv_sec: 0, tv_usec: 50_000))
    }

    private func set<Value>(_ level: Int32, _ option: Int32, _ value: Value) {
        var value = value
        let size = socklen_t(MemoryLayout<Value>.size)
        _ = unsafe withUnsafePointer(to: &value) { unsafe setsockopt(descriptor, level, option, $0, size) }
    }

    private static func address(_ host: String, _ port: Int) throws -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        guard unsafe inet_pton(AF_INET, host, &address.sin_addr) == 1 else {
            throw Failure(call: "'\(host)' as an address", code: EINVAL)
        }
        return address
    }

    private static func check(_ result: Int32, _ call: String) throws {
        if result < 0 { throw Failure(call: call, code: errno) }
    }
}

/// Ports of this machine that follow each other and are free at the moment.
///
/// They are below those that the system hands out by itself.
package func freePorts(_ count: Int) throws -> Int {
    while true {
        let first = Int.random(in: 10_000..<32_000 - count)
        let sockets = (first..<first + count).map { try? TCPSocket(listeningAt: "0.0.0.0", port: $0) }
        sockets.forEach { $0?.close() }
        if sockets.allSatisfy({ $0 != nil }) { return first }
    }
}
