import ClusterRuntime
import HTTPTypes
import Hummingbird

/// Who may ask for what.
///
/// Reading is free on this machine and needs the token from elsewhere; commands need the token always, in a header
/// that no other site's page can send. The Host must not be a name somebody else may have pointed here (DNS
/// rebinding), and an Origin must be this very page (CSRF).
struct AccessRules: Sendable {
    /// What a request wants.
    enum Wish {
        /// The page's own files, and whether the coordinator lives: nothing of the run.
        case anything
        /// What the run does.
        case reading
        /// To change what the run does.
        case commanding
    }

    /// Why a request is refused.
    struct Refusal: Error, Equatable {
        let status: HTTPResponse.Status
        let text: String
    }

    let token: AccessToken
    /// What the cookie of a page that showed the token says; it lets read, not command.
    let readKey: AccessToken
    let isLocal: Bool
    let names: Set<String>
    let cookieName: String

    init(_ options: WebOptions, port: Int) {
        token = options.token
        readKey = .random()
        isLocal = options.address.isLoopback
        names = options.names.union([options.address.host, "localhost"])
        // Cookies are shared between the ports of a host.
        cookieName = "flowsteer-\(port)"
    }

    /// - Throws: why not.
    func check(_ request: HTTPRequest, wishes wish: Wish) throws(Refusal) {
        guard let authority = request.authority, Self.isHost(authority, among: names) else {
            throw Refusal(
                status: .misdirectedRequest,
                text: "the Host is no IP address, localhost or a name given with --http-name"
            )
        }
        let origin = request.headerFields[.origin]
        guard origin == nil || origin == "http://\(authority)" || origin == "https://\(authority)" else {
            throw Refusal(status: .forbidden, text: "another site's page may not ask")
        }
        let bearer = request.headerFields[.authorization].flatMap(Self.bearer)
        switch wish {
        case .anything: return
        case .reading where isLocal || holdsCookie(request): return
        case .reading, .commanding:
            guard let bearer, token.matches(bearer) else {
                throw Refusal(
                    status: .unauthorized,
                    text:
                        "the token is missing or another: expected Authorization: Bearer and the word in web.token"
                )
            }
        }
    }

    /// The header that gives a page the cookie.
    var cookie: String { "\(cookieName)=\(readKey.text); Path=/; HttpOnly; SameSite=Strict" }

    private func holdsCookie(_ request: HTTPRequest) -> Bool {
        request.headerFields[values: .cookie].contains { line in
            line.split(separator: ";").contains { pair in
                let parts = pair.split(separator: "=", maxSplits: 1)
                guard parts.count == 2, parts[0].drop(while: { $0 == " " }) == cookieName else {
                    return false
                }
                return readKey.matches(parts[1])
            }
        }
    }

    private static func bearer(_ header: String) -> Substring? {
        let scheme = "bearer "
        return header.lowercased().hasPrefix(scheme) ? header.dropFirst(scheme.count) : nil
    }

    /// Whether a Host header names this machine in a way that no foreign name server decides.
    static func isHost(_ authority: String, among names: Set<String>) -> Bool {
        var host = Substring(authority.lowercased())
        if host.hasPrefix("[") {
            guard let end = host.firstIndex(of: "]") else { return false }
            let inside = host[host.index(after: host.startIndex)..<end]
            return inside.contains(":") && inside.allSatisfy { $0.isHexDigit || $0 == ":" || $0 == "." }
        }
        if let colon = host.lastIndex(of: ":") {
            guard host[host.index(after: colon)...].allSatisfy(\.isNumber) else { return false }
            host = host[..<colon]
        }
        return host.isIPv4 || names.contains(String(host))
    }
}
