import ArgumentParser
import ClusterRuntime
import ClusterWeb

extension WebAddress: ExpressibleByArgument {
    package init?(argument: String) { self.init(argument) }
}

/// Where the coordinator's live page is served.
struct WebArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Where the live page, /status and /metrics are served; port 0 lets the system choose.",
            valueName: "host:port"
        )
    )
    var http: WebAddress?

    @Option(
        help: ArgumentHelp(
            """
            The file, mode 0600, of the token that commands need, and reading too beyond this machine; default: \
            web.token in the run's folder, made there for an address of this machine.
            """,
            valueName: "path"
        )
    )
    var httpToken: String?

    @Option(
        help: ArgumentHelp(
            "A host name by which browsers and scrapers reach the page; IP addresses need none.",
            valueName: "name"
        )
    )
    var httpName: [String] = []

    func validate() throws {
        if let http, !http.isLoopback, httpToken == nil {
            throw ValidationError(
                "--http \(http) is reached from other machines: expected --http-token with a file of mode 0600"
            )
        }
    }

    func options(at address: WebAddress, in folder: LocalRunFolder) throws -> WebOptions {
        let token = try httpToken.map { path throws(KeyFileError) in try AccessToken(readingFrom: path) }
        var options = WebOptions(address: address, token: try token ?? AccessToken(at: folder.webToken))
        options.names = Set(httpName.map { $0.lowercased() })
        return options
    }
}
