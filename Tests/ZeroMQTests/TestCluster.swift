import Foundation
import ZeroMQ

/// A context with one socket thread.
struct TestCluster: Sendable {
    let context: Context
    let thread = SocketThread(name: "test-sockets")

    func channel(
        _ kind: ChannelKind,
        _ security: SocketSecurity = .plain,
        _ settings: ChannelSettings = ChannelSettings()
    ) throws -> Channel {
        try Channel(kind, in: context, on: thread, security: security, settings: settings)
    }

    /// A bound ROUTER and a DEALER connected to it.
    func pair(
        router: ChannelSettings = ChannelSettings(),
        dealer: ChannelSettings = ChannelSettings(),
        over endpoint: String = "tcp://127.0.0.1:*"
    ) async throws -> (router: Channel, dealer: Channel) {
        let server = try channel(.router, .plain, router)
        let client = try channel(.dealer, .plain, dealer)
        try await client.connect(to: server.bind(to: endpoint))
        return (server, client)
    }
}

/// Runs a test in a context of its own, which must end in time afterwards.
func withCluster(allowsInsecure: Bool = true, _ body: (TestCluster) async throws -> Void) async throws {
    let cluster = TestCluster(context: try Context(allowsInsecure: allowsInsecure))
    let result: Result<Void, any Error>
    do { result = .success(try await body(cluster)) } catch { result = .failure(error) }
    try await within(waitingFor: "the end of the context") { await cluster.context.terminate() }
    try result.get()
}

/// Runs a test with an `ipc://` endpoint nobody else has.
func withLocalEndpoint(_ body: (String) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "zmq-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try await body("ipc://\(folder.path)/s")
}

func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

/// Bytes in which no shift and no swap goes unnoticed.
func pattern(byteCount: Int) -> [UInt8] {
    // The length of the repeated part is prime, so no block boundary falls on it.
    var pattern = (0..<4093).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
    // Doubling, because a loop over a MiB takes seconds without optimisation.
    while pattern.count < byteCount { pattern += pattern }
    pattern.removeLast(pattern.count - byteCount)
    return pattern
}
