import Glibc

/// The service manager that started this process and asked to be told how it does: systemd's protocol, sd_notify(3).
///
/// What it is told goes to a datagram socket of this machine's, and never waits: a manager that does not read misses
/// a word, and the process goes on.
package struct ServiceManager: Sendable, Equatable {
    /// The manager's socket; begins with `/`, or with `@` for a name that is no file's.
    private let address: String
    /// The silence after which the manager takes this process for dead; nil if it does not watch.
    package let watchdog: Duration?

    /// The longest name a socket can have: `sun_path` of unix(7), which ends in a zero.
    private static let longestAddress = 107

    /// The manager that `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID` tell of; nil without one.
    package init?(environment: [String: String]) {
        guard let address = environment["NOTIFY_SOCKET"], address.first == "/" || address.first == "@",
            (2...Self.longestAddress).contains(address.utf8.count)
        else { return nil }
        self.address = address
        let isForUs = environment["WATCHDOG_PID"].map { Int32($0) == getpid() } ?? true
        watchdog = environment["WATCHDOG_USEC"].flatMap { Int64($0) }
            .flatMap { isForUs && $0 > 0 ? .microseconds($0) : nil }
    }

    /// Sends lines such as `READY=1`, `STATUS=…` and `WATCHDOG=1`.
    package func tell(_ lines: String...) {
        let file = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard file >= 0 else { return }
        defer { close(file) }
        var destination = sockaddr_un()
        destination.sun_family = sa_family_t(AF_UNIX)
        var name = Array(address.utf8)
        if address.first == "@" { name[0] = 0 }
        unsafe withUnsafeMutableBytes(of: &destination.sun_path) { unsafe $0.copyBytes(from: name) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
        let text = Array(lines.joined(separator: "\n").utf8)
        unsafe withUnsafePointer(to: &destination) { pointer in
            _ = unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe sendto(file, text, text.count, Int32(MSG_DONTWAIT), $0, length)
            }
        }
    }
}

/// When a watched process says next that it lives: a quarter of the silence that the manager bears after the last time.
package struct SignsOfLife: Sendable {
    private let manager: ServiceManager?
    private var due: ContinuousClock.Instant

    /// - Parameter manager: whom to tell; nil, or one that does not watch, is told nothing.
    package init(to manager: ServiceManager?, now: ContinuousClock.Instant = .now) {
        self.manager = manager
        due = now
    }

    /// The process went round its loop once more.
    ///
    /// - Returns: whether it was told.
    @discardableResult
    package mutating func give(now: ContinuousClock.Instant = .now) -> Bool {
        guard let manager, let watchdog = manager.watchdog, now >= due else { return false }
        due = now + watchdog / 4
        manager.tell("WATCHDOG=1")
        return true
    }
}
