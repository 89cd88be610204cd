package import ClusterRuntime
import Foundation
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix

/// The coordinator's HTTP face: the live page, `/status`, `/metrics`, `/healthz` and `/readyz`.
///
/// It reads what the coordinator last published and never asks it to wait; its sockets have a thread of their own.
package struct WebFace: Sendable {
    private let options: WebOptions
    private let service: CoordinatorService
    private let folder: LocalRunFolder
    private let say: @Sendable (String) -> Void

    /// - Parameter say: takes a sentence for the person who started it, once the page is served.
    package init(
        _ options: WebOptions,
        of service: CoordinatorService,
        in folder: LocalRunFolder,
        say: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.say = say
        self.options = options
        self.service = service
        self.folder = folder
    }

    /// Serves until the coordinator ends or the task is cancelled; `web.json` says where, as long as it does.
    ///
    /// - Throws: ``WebError`` where the address cannot be had.
    package func run() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let result: Result<Void, any Error>
        do {
            try await serve(on: group)
            result = .success(())
        } catch is CancellationError {
            result = .success(())
        } catch let error as IOError {
            result = .failure(WebError.unavailable(address: "\(options.address)", reason: error.description))
        } catch let error as SocketAddressError {
            result = .failure(WebError.unavailable(address: "\(options.address)", reason: "\(error)"))
        } catch {
            result = .failure(error)
        }
        try? FileManager.default.removeItem(atPath: folder.web)
        try? await group.shutdownGracefully()
        try result.get()
    }

    /// Runs the coordinator as well, and ends when it has ended and the pages have heard of it.
    package func runBesideCoordinator() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await service.run() }
            group.addTask { try await run() }
            while try await group.next() != nil {}
        }
    }

    private func serve(on group: MultiThreadedEventLoopGroup) async throws {
        let observer = RunObserver(feed: service.feed, folder: folder)
        let responder = PortResponder(options, service: service, observer: observer)
        var logger = Logger(label: "flowsteer.web")
        logger.logLevel = .critical
        let decoder = HTTP1Channel.Configuration.DecoderConfiguration(
            maxHeaderFieldSize: 8 << 10,
            maxHeaderListSize: 16 << 10,
            maxHeaderFieldCount: 64
        )
        let application = Application(
            responder: responder,
            server: .http1(
                configuration: .init(
                    idleTimeout: TimeAmount(options.patience),
                    httpDecoderConfiguration: decoder
                )
            ),
            configuration: .init(
                address: .hostname(options.address.host, port: options.address.port),
                backlog: 64,
                availableConnectionsDelegate: MaximumAvailableConnections(
                    options.connectionLimit,
                    logger: logger
                )
            ),
            onServerRunning: { channel in
                guard let port = channel.localAddress?.port else { return }
                responder.isReached(at: port)
                try? announce(port)
            },
            eventLoopGroupProvider: .shared(group),
            logger: logger
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await application.run() }
            group.addTask {
                try await observer.run()
                try await responder.finish(within: .seconds(2))
            }
            try await group.endWithFirst()
        }
    }

    private func announce(_ port: Int) throws {
        // An address for everybody is one of this machine's, too.
        let isOpen = ["0.0.0.0", "::"].contains(options.address.host)
        let address = WebAddress(host: isOpen ? "127.0.0.1" : options.address.host, port: port)
        let url = "http://\(address)/"
        try WebPlace(url: url, port: port).write(to: folder.web)
        say("live page: \(url)")
    }
}

/// Runs a coordinator, and its page if one is wanted, until the run is finished or the process is told to stop.
///
/// - Parameter say: takes sentences for the person who started it.
package func runCoordinator(
    _ options: CoordinatorOptions,
    web: WebOptions?,
    say: @escaping @Sendable (String) -> Void
) async throws {
    guard let web else { return try await runCoordinator(options, say: say) }
    try await untilStopped {
        let service = try await CoordinatorService(options)
        say(service.greeting)
        let face = WebFace(web, of: service, in: LocalRunFolder(options.runFolder), say: say)
        try await face.runBesideCoordinator()
    }
}
