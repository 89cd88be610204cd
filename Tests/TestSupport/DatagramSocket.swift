import Foundation
import Glibc

/// A datagram socket of this machine's, as a service manager has one.
package final class DatagramSocket {
    private let file: Int32

    /// - Parameter address: a path, or a name after `@` that is no file's.
    package init(at address: String) throws {
        file = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        guard file >= 0 else { throw POSIXError(.EBADF) }
        var place = sockaddr_un()
        place.sun_family = sa_family_t(AF_UNIX)
        var name = Array(address.utf8)
        if address.first == "@" { name[0] = 0 }
        unsafe withUnsafeMutableBytes(of: &place.sun_path) { unsafe $0.copyBytes(from: name) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
        let status = unsafe withUnsafePointer(to: &place) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe bind(file, $0, length) }
        }
        guard status == 0 else { throw POSIXError(.EADDRINUSE) }
    }

    deinit { close(file) }

    /// The next datagram, if one is there.
    package func receive() -> String? {
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = unsafe recv(file, &bytes, bytes.count, Int32(MSG_DONTWAIT))
        return count < 0 ? nil : String(decoding: bytes.prefix(count), as: UTF8.self)
    }
}
