import Glibc

/// Tries an address the way a node will use it, and lets go of it again.
package enum SocketProbe {
    /// Why nothing can listen there, in the system's words; nil if something can.
    package static func bindFailure(host: String, port: Int) -> String? {
        unsafe withSocket(host == "*" ? "0.0.0.0" : host, port) { descriptor, address in
            var isOn: Int32 = 1
            let size = socklen_t(MemoryLayout<Int32>.size)
            _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &isOn, size)
            guard unsafe bind(descriptor, address.pointee.ai_addr, address.pointee.ai_addrlen) == 0,
                listen(descriptor, 1) == 0
            else { return reason(errno) }
            return nil
        }
    }

    /// Why nothing answers there within some milliseconds; nil if something does.
    package static func connectFailure(host: String, port: Int, milliseconds: Int32) -> String? {
        unsafe withSocket(host, port) { descriptor, address in
            if unsafe connect(descriptor, address.pointee.ai_addr, address.pointee.ai_addrlen) == 0 {
                return nil
            }
            guard errno == EINPROGRESS else { return reason(errno) }
            var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            guard unsafe poll(&ready, 1, milliseconds) == 1 else {
                return "no answer within \(milliseconds) ms"
            }
            var code: Int32 = 0
            var size = socklen_t(MemoryLayout<Int32>.size)
            _ = unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size)
            return code == 0 ? nil : reason(code)
        }
    }

    /// Lends a socket that never waits, and the first address of a host.
    private static func withSocket(
        _ host: String,
        _ port: Int,
        _ failure: (Int32, UnsafeMutablePointer<addrinfo>) -> String?
    ) -> String? {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let status = unsafe getaddrinfo(host, String(port), &hints, &found)
        guard status == 0, let address = unsafe found else {
            return unsafe String(cString: gai_strerror(status))
        }
        defer { unsafe freeaddrinfo(address) }
        let type = unsafe address.pointee.ai_socktype | Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = unsafe socket(address.pointee.ai_family, type, 0)
        guard descriptor >= 0 else { return reason(errno) }
        defer { close(descriptor) }
        return unsafe failure(descriptor, address)
    }

    private static func reason(_ code: Int32) -> String { unsafe String(cString: strerror(code)) }
}
