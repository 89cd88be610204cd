import ArgumentParser

/// `tcp://HOST:PORT`.
struct ControlEndpoint: ExpressibleByArgument {
    let host: String
    let port: Int

    init?(argument: String) {
        let scheme = "tcp://"
        guard argument.hasPrefix(scheme), let colon = argument.lastIndex(of: ":") else { return nil }
        let host = argument.dropFirst(scheme.count).prefix { $0 != ":" }
        guard !host.isEmpty, host.endIndex == colon else { return nil }
        guard let port = Int(argument[argument.index(after: colon)...]), (0...65_535).contains(port) else {
            return nil
        }
        self.host = String(host)
        self.port = port
    }

    private init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Where a coordinator is on its own machine.
    static let standard = ControlEndpoint(host: "127.0.0.1", port: 7700)

    var defaultValueDescription: String { text }

    var text: String { "tcp://\(host):\(port)" }
}
