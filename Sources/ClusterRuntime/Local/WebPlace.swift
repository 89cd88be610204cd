import Foundation

/// `HOST:PORT`, with an IPv6 host in brackets.
package struct WebAddress: Sendable, Equatable, CustomStringConvertible {
    /// The host, without brackets.
    package let host: String
    /// The port; 0 lets the system choose.
    package let port: Int

    /// Nil where the text is not of that form.
    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (0...65_535).contains(port)
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty, host.allSatisfy({ !$0.isWhitespace && $0 != "/" }) else { return nil }
        self.init(host: String(host), port: port)
    }

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// Whether only this machine reaches it.
    package var isLoopback: Bool {
        host == "localhost" || host == "::1" || host.isIPv4 && host.hasPrefix("127.")
    }
}

extension StringProtocol {
    /// Whether it is four numbers below 256, between dots.
    package var isIPv4: Bool {
        let parts = split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { $0.allSatisfy(\.isNumber) && UInt8($0) != nil }
    }
}

/// What a page is served with, as `web.json` in the run's folder says.
package struct WebPlace: Codable, Sendable, Equatable {
    /// The page's address on this machine.
    package let url: String
    /// The port it listens at.
    package let port: Int

    package init(url: String, port: Int) {
        self.url = url
        self.port = port
    }
}

extension WebPlace {
    /// Reads a file; nil where there is none, as while no page is served.
    package init?(path: String) throws {
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        self = try JSONDecoder().decode(Self.self, from: data)
    }

    /// Replaces a file: a reader sees the old one or the new one.
    package func write(to path: String) throws {
        try JSONEncoder().encode(self).write(to: URL(filePath: path), options: .atomic)
    }
}

/// What is wrong with the address of a coordinator's page.
package enum WebError: Error, Equatable, CustomStringConvertible {
    case unavailable(address: String, reason: String)

    package var description: String {
        switch self {
        case .unavailable(let address, let reason):
            "--http \(address): cannot listen there (\(reason)): give another port, or 0 for any that is free"
        }
    }
}
