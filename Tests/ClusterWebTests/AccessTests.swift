import ClusterRuntime
import Foundation
import HTTPTypes
import TestSupport
import Testing

@testable import ClusterWeb

struct AccessTests {
    private static let token = AccessToken.random()

    private func rules(at host: String, names: Set<String> = []) -> AccessRules {
        var options = WebOptions(address: WebAddress(host: host, port: 80), token: Self.token)
        options.names = names
        return AccessRules(options, port: 80)
    }

    private func request(
        host: String = "127.0.0.1:80",
        _ headers: [HTTPField.Name: String] = [:]
    ) -> HTTPRequest {
        var request = HTTPRequest(method: .get, scheme: nil, authority: host, path: "/")
        for (name, value) in headers { request.headerFields[name] = value }
        return request
    }

    private func refusal(_ body: () throws(AccessRules.Refusal) -> Void) -> Int? {
        do throws(AccessRules.Refusal) { try body() } catch { return error.status.code }
        return nil
    }

    @Test(arguments: [
        ("127.0.0.1:80", true), ("localhost:80", true), ("LOCALHOST", true), ("[::1]:80", true),
        ("10.1.2.3", true),
        ("train.example:80", true), ("evil.example:80", false), ("127.0.0.1.evil.example", false),
        ("", false),
        ("[::1", false), ("[evil]:80", false), ("127.0.0.1:80:80", false),
        ("localhost:80.evil.example", false),
    ])
    func `only a host that no foreign name server decides is answered`(host: String, isAdmitted: Bool) {
        let rules = rules(at: "127.0.0.1", names: ["train.example"])
        let refused = refusal { () throws(AccessRules.Refusal) in
            try rules.check(request(host: host), wishes: .anything)
        }
        #expect(refused == (isAdmitted ? nil : 421))
    }

    @Test(arguments: [
        ("http://127.0.0.1:80", true), ("https://127.0.0.1:80", true), ("http://evil.example", false),
        ("null", false),
        ("http://127.0.0.1:81", false),
    ])
    func `another site's page may neither read nor command`(origin: String, isAdmitted: Bool) {
        let headers: [HTTPField.Name: String] = [
            .origin: origin, .authorization: "Bearer \(Self.token.text)",
        ]
        for wish in [AccessRules.Wish.reading, .commanding] {
            let refused = refusal { () throws(AccessRules.Refusal) in
                try rules(at: "127.0.0.1").check(request(headers), wishes: wish)
            }
            #expect(refused == (isAdmitted ? nil : 403))
        }
    }

    @Test func `commands need the token everywhere, reading beyond this machine`() {
        let (local, open) = (rules(at: "127.0.0.1"), rules(at: "0.0.0.0"))
        func refused(_ rules: AccessRules, _ wish: AccessRules.Wish, _ headers: [HTTPField.Name: String])
            -> Int?
        {
            refusal { () throws(AccessRules.Refusal) in try rules.check(request(headers), wishes: wish) }
        }
        let right: [HTTPField.Name: String] = [.authorization: "Bearer \(Self.token.text)"]
        let cookie: [HTTPField.Name: String] = [
            .cookie: "a=b; " + (open.cookie.split(separator: ";").first.map(String.init) ?? "")
        ]
        #expect(refused(local, .reading, [:]) == nil)
        #expect(refused(local, .commanding, [:]) == 401)
        #expect(refused(local, .commanding, right) == nil)
        #expect(refused(open, .anything, [:]) == nil)
        #expect(refused(open, .reading, [:]) == 401)
        #expect(refused(open, .reading, right) == nil)
        #expect(refused(open, .reading, cookie) == nil)
        #expect(refused(open, .commanding, cookie) == 401, "a cookie lets read, not command")
        for word in ["", "Bearer", "Bearer ", "Basic \(Self.token.text)", "Bearer \(Self.token.text)x"] {
            #expect(refused(local, .commanding, [.authorization: word]) == 401, "\(word)")
        }
        #expect(refused(local, .commanding, [.authorization: "Bearer \(Self.token.text.dropLast())"]) == 401)
    }

    @Test func `a token's file is its owner's alone, and stays what it is`() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "token-\(UUID().uuidString)").path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let token = try AccessToken(at: path)
        #expect(token.text.count == 43)
        #expect(token != AccessToken.random())
        #expect(try AccessToken(at: path) == token)
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        #expect(throws: KeyFileError.tooOpen(path: path, mode: 0o644)) { try AccessToken(readingFrom: path) }
        try Data("short\n".utf8).write(to: URL(filePath: path))
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        #expect(throws: KeyFileError.noToken(path: path)) { try AccessToken(readingFrom: path) }
    }

    @Test(arguments: [
        ("127.0.0.1:80", "127.0.0.1", 80, true), ("localhost:0", "localhost", 0, true),
        ("[::1]:9", "::1", 9, true),
        ("0.0.0.0:8080", "0.0.0.0", 8080, false), ("[::]:8080", "::", 8080, false),
        ("127.evil.example:1", "127.evil.example", 1, false),
    ])
    func `an address says whether only this machine reaches it`(
        text: String,
        host: String,
        port: Int,
        isLoopback: Bool
    ) throws {
        let address = try #require(WebAddress(text))
        #expect(address == WebAddress(host: host, port: port))
        #expect(address.isLoopback == isLoopback)
        #expect(address.description == text)
    }

    @Test(arguments: ["", "80", ":80", "host", "host:", "host:65536", "host:-1", "::1:80", "a b:1", "a/b:1"])
    func `what is no address is refused`(text: String) { #expect(WebAddress(text) == nil) }

    @Test func `an address that asks too often is put off, others are not`() {
        var rate = RequestRate(perSecond: 10, burst: 3)
        let start = ContinuousClock.now
        func admits(_ client: String, after time: Duration) -> Bool { rate.admits(client, at: start + time) }
        #expect((0..<5).map { _ in admits("a", after: .zero) } == [true, true, true, false, false])
        #expect(admits("b", after: .zero))
        #expect(admits("a", after: .milliseconds(100)))
        #expect(!admits("a", after: .milliseconds(100)))
        for number in 0..<300 { _ = admits("\(number)", after: .milliseconds(100)) }
        #expect(!admits("new", after: .milliseconds(100)), "no more addresses than it can remember")
        #expect(admits("new", after: .seconds(5)), "those who have been quiet are forgotten")
    }
}
