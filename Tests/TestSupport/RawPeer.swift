import Foundation

/// A peer that is no libzmq: a process that writes whatever bytes a test wants to a TCP port of this machine.
///
/// What it holds in memory is its own, so a test may watch the memory of the process that listens.
package final class RawPeer: Sendable {
    /// The greeting and the READY command of a DEALER without encryption (ZeroMQ RFC 23), as a script.
    package static let plainHandshake = #"""
        printf '\xff\0\0\0\0\0\0\0\0\x7f\x03\0NULL' >&3
        head -c 48 /dev/zero >&3
        printf '\x04\x1c\x05READY\x0bSocket-Type\0\0\0\x06DEALER' >&3

        """#

    private let process = Process()

    /// Connects and runs a script of bash, whose descriptor 3 is the connection.
    package init(endpoint: String, script: String) throws {
        let port = endpoint.split(separator: ":").last ?? ""
        process.executableURL = URL(filePath: "/bin/bash")
        process.arguments = ["-c", "exec 3<>/dev/tcp/127.0.0.1/\(port) || exit 9\n" + script]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    deinit { if process.isRunning { process.terminate() } }

    /// Whether the script goes on.
    package var isRunning: Bool { process.isRunning }
}

/// Bytes of this process's memory that are resident now.
package func residentByteCount() throws -> Int {
    let statm = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
    let pages = statm.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    return pages * 4096
}
