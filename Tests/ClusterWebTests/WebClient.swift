import ClusterRuntime
import Foundation
import TestSupport

/// Asks a face over a socket of its own, on a thread that may wait.
struct WebClient: Sendable {
    struct Answer: Sendable {
        let status: Int
        let headers: [String: String]
        let body: [UInt8]
        var text: String { String(decoding: body, as: UTF8.self) }
    }

    struct Silence: Error {
        var path = ""
    }

    let port: Int
    private let thread = ComputeThread(name: "web-client")

    init(port: Int) { self.port = port }

    /// Reads something.
    func ask(_ path: String, _ headers: [String: String] = [:]) async throws -> Answer {
        try await ask("GET", path, headers)
    }

    /// How the run is doing.
    func status() async throws -> RunStatus { try RunStatus(decoding: try await ask("/status").body) }

    /// Asks once and reads until the connection ends or the announced length is there.
    func ask(
        _ method: String,
        _ path: String,
        host: String? = nil,
        _ headers: [String: String] = [:]
    ) async throws -> Answer {
        let fields = ["Host": host ?? "127.0.0.1:\(port)", "Connection": "close"].merging(headers) { $1 }
        let lines = ["\(method) \(path) HTTP/1.1"] + fields.map { "\($0): \($1)" } + ["", ""]
        let port = port
        return try await thread.run {
            let socket = try TCPSocket(connectingTo: "127.0.0.1", port: port)
            defer { socket.close() }
            _ = socket.write(ArraySlice(lines.joined(separator: "\r\n").utf8))
            var bytes: [UInt8] = []
            while let answer = try Self.read(socket, &bytes) {
                if let parsed = Self.parse(answer, isHead: method == "HEAD") { return parsed }
            }
            throw Silence(path: path)
        }
    }

    /// Asks, and reads what comes until it contains all of `words`; returns it.
    func listen(
        _ path: String,
        _ headers: [String: String] = [:],
        until words: [String],
        within seconds: Double = 20
    ) async throws -> String {
        let fields = ["Host": "127.0.0.1:\(port)"].merging(headers) { $1 }
        let lines = ["GET \(path) HTTP/1.1"] + fields.map { "\($0): \($1)" } + ["", ""]
        let port = port
        return try await thread.run {
            let socket = try TCPSocket(connectingTo: "127.0.0.1", port: port)
            defer { socket.close() }
            _ = socket.write(ArraySlice(lines.joined(separator: "\r\n").utf8))
            let deadline = ContinuousClock.now + .seconds(seconds)
            var bytes: [UInt8] = []
            while ContinuousClock.now < deadline, let more = try Self.read(socket, &bytes) {
                let text = String(decoding: more, as: UTF8.self)
                if words.allSatisfy(text.contains) { return text }
            }
            throw Silence()
        }
    }

    /// All bytes so far after waiting for more; nil at the end.
    private static func read(_ socket: TCPSocket, _ bytes: inout [UInt8]) throws -> [UInt8]? {
        guard socket.isReadable(within: 20_000) else { throw Silence() }
        guard let more = socket.read(1 << 16), !more.isEmpty else { return nil }
        bytes += more
        return bytes
    }

    private static func parse(_ bytes: [UInt8], isHead: Bool) -> Answer? {
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n")
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
        }
        guard let code = lines.first?.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
            return nil
        }
        let body = Array(bytes[end.upperBound...])
        let length = isHead ? 0 : headers["content-length"].flatMap { Int($0) } ?? 0
        return body.count < length ? nil : Answer(status: code, headers: headers, body: body)
    }
}
