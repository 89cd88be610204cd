import ClusterRuntime
import Hummingbird
import Synchronization

/// Answers requests once it is known which port the system chose.
final class PortResponder: HTTPResponder {
    private let options: WebOptions
    private let service: CoordinatorService
    private let observer: RunObserver
    private let routes = Mutex<WebRoutes?>(nil)

    init(_ options: WebOptions, service: CoordinatorService, observer: RunObserver) {
        self.options = options
        self.service = service
        self.observer = observer
    }

    func isReached(at port: Int) {
        routes.withLock { $0 = WebRoutes(options, port: port, service: service, observer: observer) }
    }

    /// Waits until no page is told anything any more, but not for long.
    func finish(within time: Duration) async throws {
        let deadline = ContinuousClock.now + time
        while routes.withLock({ $0?.streamCount ?? 0 }) > 0, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    func respond(to request: Request, context: WebContext) async throws -> Response {
        guard let routes = routes.withLock({ $0 }) else { return Response(status: .serviceUnavailable) }
        return await routes.respond(to: request, context)
    }
}
