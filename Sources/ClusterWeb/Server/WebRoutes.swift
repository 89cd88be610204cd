import ClusterMessages
import ClusterRuntime
import Coordination
import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization

/// What the coordinator answers over HTTP.
final class WebRoutes: Sendable {
    private let options: WebOptions
    private let rules: AccessRules
    private let service: CoordinatorService
    private let observer: RunObserver
    private let rate: Mutex<RequestRate>
    private let streams = Mutex(0)
    private let answers = Mutex<[Int: Int]>([:])

    init(_ options: WebOptions, port: Int, service: CoordinatorService, observer: RunObserver) {
        self.options = options
        self.service = service
        self.observer = observer
        rules = AccessRules(options, port: port)
        rate = Mutex(RequestRate(perSecond: options.requestRate.perSecond, burst: options.requestRate.burst))
    }

    /// Pages that are kept up to date.
    var streamCount: Int { streams.withLock { $0 } }

    /// Answers a request; whatever is wrong with it is an answer, too.
    func respond(to request: Request, _ context: WebContext) async -> Response {
        let answer = await answer(request, context)
        var response = Response(status: answer.status, headers: answer.headers)
        for (name, value) in Self.security where response.headers[name] == nil {
            response.headers[name] = value
        }
        if answer.closesConnection {
            response.headers[.connection] = "close"
            // After a moment in which it may take the answer in.
            let channel = context.channel
            channel.eventLoop.scheduleTask(in: .seconds(1)) { channel.close(promise: nil) }
        }
        response.body = request.method == .head ? ResponseBody() : answer.body
        answers.withLock { $0[answer.status.code, default: 0] += 1 }
        return response
    }

    private func answer(_ request: Request, _ context: WebContext) async -> WebAnswer {
        let admitted = rate.withLock { $0.admits(context.client, at: .now) }
        guard admitted else { return .text(.tooManyRequests, "too many requests: wait a second") }
        // No request needs a body, so nobody can be slow with one.
        guard (request.headers[.contentLength] ?? "0") == "0", request.headers[.transferEncoding] == nil
        else {
            return .text(.contentTooLarge, "no request here has a body", closes: true)
        }
        let body = PatientBody(patience: options.patience, channel: context.channel)
        do {
            return try await answer(request, body)
        } catch let refusal as AccessRules.Refusal {
            return .text(refusal.status, refusal.text)
        } catch {
            return .text(.internalServerError, "\(error)")
        }
    }

    private func answer(_ request: Request, _ body: PatientBody) async throws -> WebAnswer {
        let path = request.uri.path
        let isReading = request.method == .get || request.method == .head
        if path.hasPrefix("/do/") {
            guard request.method == .post else {
                return .text(.methodNotAllowed, "commands are given with POST")
            }
            try rules.check(request.head, wishes: .commanding)
            return try await obey(String(path.dropFirst(4)), request)
        }
        if path == "/session", request.method == .post {
            try rules.check(request.head, wishes: .commanding)
            var answer = WebAnswer.text(.ok, "welcome")
            answer.headers[.setCookie] = rules.cookie
            return answer
        }
        guard isReading else { return .text(.methodNotAllowed, "there is nothing but GET here") }
        if let file = PageFile.all[path] {
            try rules.check(request.head, wishes: .anything)
            return WebAnswer(.ok, file.contentType, body.whole(file.bytes))
        }
        switch path {
        case "/healthz", "/readyz":
            try rules.check(request.head, wishes: .anything)
            return path == "/healthz" ? health() : readiness()
        case "/metrics":
            try rules.check(request.head, wishes: .reading)
            return metrics(body)
        case "/status":
            try rules.check(request.head, wishes: .reading)
            guard let report = service.feed.newest else { return .notYet }
            return WebAnswer(.ok, "application/json", body.whole(report.json))
        case "/events":
            try rules.check(request.head, wishes: .reading)
            return request.method == .head ? WebAnswer(.ok, EventStream.contentType) : stream(body)
        case "/samples.png":
            try rules.check(request.head, wishes: .reading)
            return try await file(observer.archive.folder.samples, "image/png", body)
        default:
            try rules.check(request.head, wishes: .reading)
            return try await checkpointFile(path, body)
        }
    }

    // MARK: State

    private func health() -> WebAnswer {
        guard let silence = service.feed.silence else {
            return .text(.serviceUnavailable, "the coordinator does not serve yet")
        }
        guard silence < options.healthySilence else {
            return .text(.serviceUnavailable, "the coordinator's loop last went round \(silence) ago")
        }
        return .text(.ok, "ok")
    }

    /// Ready is who lets nodes in; one that restarted does so while it still hears what they hold.
    private func readiness() -> WebAnswer {
        let health = health()
        guard health.status == .ok else { return health }
        guard let report = service.feed.newest else { return .notYet }
        guard report.status.state != .finished else {
            return .text(.serviceUnavailable, "the run is finished")
        }
        return .text(.ok, "ready")
    }

    private func metrics(_ body: PatientBody) -> WebAnswer {
        guard let report = service.feed.newest else { return .notYet }
        var requests = MetricFamily(
            "flowsteer_http_requests_total",
            .counter,
            "Requests answered over HTTP, by code."
        )
        for (code, count) in answers.withLock({ $0 }).sorted(by: { $0.key < $1.key }) {
            requests.add([("code", "\(code)")], Double(count))
        }
        let pages = MetricFamily(
            "flowsteer_http_event_streams",
            .gauge,
            "Pages that are kept up to date.",
            Double(streamCount)
        )
        let text = PrometheusText.render(RunMetrics(report.status).families + [requests, pages])
        return WebAnswer(.ok, PrometheusText.contentType, body.whole(Array(text.utf8)))
    }

    private func stream(_ body: PatientBody) -> WebAnswer {
        let isAdmitted = streams.withLock { count in
            guard count < options.streamLimit else { return false }
            count += 1
            return true
        }
        guard isAdmitted else {
            return .text(.serviceUnavailable, "\(options.streamLimit) pages are open already")
        }
        let place = StreamPlace { [self] in streams.withLock { $0 -= 1 } }
        let stream = EventStream(service.feed.reports(), observer: observer)
        return WebAnswer(
            .ok,
            EventStream.contentType,
            body.pieces {
                withExtendedLifetime(place) {}; return await stream.next()
            }
        )
    }

    // MARK: Files

    private func checkpointFile(_ path: String, _ body: PatientBody) async throws -> WebAnswer {
        let parts = path.split(separator: "/")
        guard parts.count == 3, parts[0] == "checkpoints", let round = UInt64(parts[1]) else {
            return .notFound
        }
        let (archive, name) = (observer.archive, String(parts[2]))
        guard let path = try await observer.files.run({ archive.path(of: name, round: round) }) else {
            return .notFound
        }
        var answer = try await file(path, "application/octet-stream", body)
        // The name is one that a manifest has, of letters, digits, points and dashes.
        answer.headers[.contentDisposition] = "attachment; filename=\"round-\(round)-\(name)\""
        return answer
    }

    private func file(_ path: String, _ type: String, _ body: PatientBody) async throws -> WebAnswer {
        let files = observer.files
        guard let pieces = try await files.run({ FilePieces(path: path) }) else { return .notFound }
        return WebAnswer(
            .ok,
            type,
            body.pieces(byteCount: pieces.byteCount) {
                let piece = try await files.run { try pieces.next() }
                return piece.isEmpty ? nil : ByteBuffer(bytes: piece)
            }
        )
    }

    // MARK: Commands

    private func obey(_ name: String, _ request: Request) async throws -> WebAnswer {
        let node = request.uri.queryParameters["node"].flatMap { UInt32($0) }
        let command: OperatorCommand
        switch name {
        case "pause": command = .pause
        case "resume": command = .resume
        case "checkpoint": command = .checkpoint
        case "drain" where request.uri.query == nil: command = .drain
        case "drain":
            guard let node else { return .text(.badRequest, "the node is no number") }
            command = .drainNode(NodeID(node))
        default: return .notFound
        }
        if let objection = try await service.command(command) { return .text(.conflict, objection) }
        return .text(.ok, "done")
    }

    /// What every answer says: run nothing but the page's own files, show it in no other page, keep nothing.
    private static let security: [(HTTPField.Name, String)] =
        [
            (
                .contentSecurityPolicy,
                "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
                    + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
            ),
            (.xContentTypeOptions, "nosniff"),
            (.cacheControl, "no-store"),
        ]
        + [("Referrer-Policy", "no-referrer"), ("Cross-Origin-Resource-Policy", "same-origin")].compactMap {
            name,
            value in
            HTTPField.Name(name).map { ($0, value) }
        }
}

/// A page's place among those kept up to date; given back when nothing of the page is left.
private final class StreamPlace: Sendable {
    private let leave: @Sendable () -> Void
    init(leaving leave: @escaping @Sendable () -> Void) { self.leave = leave }
    deinit { leave() }
}
