import ClusterMessages
import Coordination
import Foundation
import TestSupport
import Testing

@testable import ClusterRuntime
@testable import ClusterWeb

/// A real coordinator's face over real sockets.
@Suite(.serialized, .timeLimit(.minutes(2))) struct WebFaceTests {
    @Test func `every address answers with what it is for`() async throws {
        try await WebRun().serving { _, client async throws in
            // The first report comes within a second of the start.
            _ = try await client.listen("/events", until: ["event: status"])
            for (path, type) in [
                ("/", "text/html"), ("/page.js", "text/javascript"), ("/charts.js", "text/javascript"),
                ("/page.css", "text/css"), ("/status", "application/json"),
                ("/metrics", "text/plain; version=0.0.4"),
                ("/healthz", "text/plain"), ("/readyz", "text/plain"),
            ] {
                let answer = try await client.ask(path)
                #expect(answer.status == 200, "\(path)")
                #expect(answer.headers["content-type"]?.hasPrefix(type) == true, "\(path)")
                #expect(answer.headers["content-security-policy"]?.contains("default-src 'none'") == true)
                #expect(answer.headers["x-content-type-options"] == "nosniff")
                let head = try await client.ask("HEAD", path)
                #expect(head.status == 200 && head.body.isEmpty, "\(path)")
            }
            let status = try await client.status()
            #expect(status.rounds == 2)
            #expect(status.waitingOn.contains("no rollout worker is here"))
            let metrics = try await client.ask("/metrics").text
            #expect(metrics.contains("\nflowsteer_rounds 2\n"))
            #expect(metrics.contains("flowsteer_http_requests_total{code=\"200\"}"))
            #expect(try await client.ask("/no-such-thing").status == 404)
            #expect(try await client.ask("/checkpoints/1/..%2f..%2fledger.sqlite").status == 404)
            #expect(try await client.ask("/checkpoints/1/../../ledger.sqlite").status == 404)
            #expect(try await client.ask("/samples.png").status == 404)
            #expect(try await client.ask("PUT", "/status").status == 405)
        }
    }

    @Test func `the page asks for nothing from elsewhere`() throws {
        for (path, file) in PageFile.all {
            let text = String(decoding: file.bytes, as: UTF8.self)
            // The name of the vector graphics' vocabulary is no address that anybody asks.
            let rest = text.replacing("http://www.w3.org/2000/svg", with: "")
            #expect(
                !rest.contains("http://") && !rest.contains("https://") && !rest.contains("//cdn"),
                "\(path)"
            )
            #expect(
                !rest.contains(" style=\"") && !rest.contains(" onclick=\""),
                "\(path) obeys its own policy"
            )
        }
    }

    @Test func `commands are obeyed with the token, and with nothing else`() async throws {
        let run = WebRun()
        try await run.serving { service, client async throws in
            let right = ["Authorization": "Bearer \(run.token.text)"]
            for headers in [
                [:], ["Authorization": "Bearer \(AccessToken.random().text)"],
                ["Cookie": "token=\(run.token.text)"],
            ] {
                #expect(try await client.ask("POST", "/do/pause", headers).status == 401)
            }
            #expect(
                try await client.ask(
                    "POST",
                    "/do/pause",
                    right.merging(["Origin": "http://evil.example"]) { $1 }
                ).status == 403
            )
            #expect(try await client.ask("POST", "/do/pause", host: "evil.example", right).status == 421)
            #expect(try await client.ask("/do/pause", right).status == 405)
            #expect(try await client.status().state == .running)

            #expect(try await client.ask("POST", "/do/pause", right).status == 200)
            #expect(try await client.status().state == .paused)
            let objection = try await client.ask("POST", "/do/checkpoint", right)
            #expect(objection.status == 409)
            #expect(objection.text.contains("paused"))
            #expect(try await client.ask("POST", "/do/resume", right).status == 200)
            #expect(try await client.status().state == .running)
            let unknown = try await client.ask("POST", "/do/drain?node=7", right)
            #expect(unknown.status == 409)
            #expect(unknown.text.contains("there is no node 7"))
            #expect(try await client.ask("POST", "/do/drain?node=x", right).status == 400)
            #expect(try await client.ask("POST", "/do/explode", right).status == 404)
            #expect(service.feed.newest?.status.state == .running)
        }
    }

    @Test func `beyond this machine, reading needs the token or the cookie that it gives`() async throws {
        var run = WebRun()
        run.configure = { $0.address = WebAddress(host: "0.0.0.0", port: 0) }
        let token = run.token.text
        try await run.serving { _, client async throws in
            for path in ["/status", "/metrics", "/events", "/samples.png"] {
                #expect(try await client.ask(path).status == 401, "\(path)")
            }
            #expect(try await client.ask("/").status == 200)
            let bearer = ["Authorization": "Bearer \(token)"]
            _ = try await client.listen("/events", bearer, until: ["event: status"])
            #expect(try await client.ask("/metrics", bearer).status == 200)
            let session = try await client.ask("POST", "/session", bearer)
            let cookie = try #require(session.headers["set-cookie"])
            #expect(
                cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict") && !cookie.contains(token)
            )
            let key = ["Cookie": String(cookie.prefix { $0 != ";" })]
            #expect(try await client.ask("/status", key).status == 200)
            #expect(try await client.ask("POST", "/do/pause", key).status == 401)
            #expect(try await client.ask("/healthz").status == 200, "probes carry no token")
        }
    }

    @Test func `slow and greedy clients are cut off, and nobody waits for them`() async throws {
        var run = WebRun()
        run.configure = {
            $0.patience = .seconds(1)
            $0.streamLimit = 2
            $0.connectionLimit = 40
        }
        try await run.serving { service, client async throws in
            _ = try await client.listen("/events", until: ["event: status"])
            // Half a request each, and a page that never reads what it asked for.
            let slow = try (0..<20).map { _ in try TCPSocket(connectingTo: "127.0.0.1", port: client.port) }
            defer { slow.forEach { $0.close() } }
            for socket in slow { _ = socket.write(ArraySlice("GET /status HTTP/1.1\r\nHost: 127".utf8)) }
            let deaf = try TCPSocket(connectingTo: "127.0.0.1", port: client.port)
            defer { deaf.close() }
            let asks = String(repeating: "GET /page.js HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", count: 190)
            _ = deaf.write(ArraySlice(asks.utf8))
            #expect(try await client.ask("/healthz").status == 200)

            // Bytes that trickle in do not prolong it.
            let thread = ComputeThread(name: "trickle")
            let ended = try await thread.run {
                let deadline = ContinuousClock.now + .seconds(20)
                var open = slow
                while !open.isEmpty, ContinuousClock.now < deadline {
                    open = open.filter { socket in
                        _ = socket.write(ArraySlice("x".utf8))
                        return !socket.isReadable(within: 10) || socket.read(100)?.isEmpty == false
                    }
                }
                return open.isEmpty
            }
            #expect(ended)
            #expect(try await client.ask("POST", "/do/pause", ["Content-Length": "5"]).status == 413)
            let tooLong = ["X": String(repeating: "x", count: 20_000)]
            // It is cut off, with or without a word.
            let cutOff = try? await client.ask("/healthz", tooLong)
            #expect(cutOff?.status ?? 400 == 400)

            // The place of the page above is free once the next report finds nobody.
            while try await !client.ask("/metrics").text.contains("\nflowsteer_http_event_streams 0\n") {
                try await Task.sleep(for: .milliseconds(50))
            }
            let pages = try (0..<2).map { _ in try TCPSocket(connectingTo: "127.0.0.1", port: client.port) }
            for page in pages {
                _ = page.write(ArraySlice("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8))
            }
            for page in pages {
                #expect(page.isReadable(within: 10_000))
                let answer = String(decoding: page.read(100) ?? [], as: UTF8.self)
                #expect(answer.hasPrefix("HTTP/1.1 200 "), "\(answer)")
            }
            #expect(try await client.ask("/events").status == 503)
            pages.forEach { $0.close() }
            // Their places are free again once the next report finds nobody.
            while (try? await client.listen("/events", until: ["event: status"])) == nil {
                try await Task.sleep(for: .milliseconds(20))
            }
            #expect(service.feed.silence.map { $0 < .seconds(5) } == true)
        }
    }

    @Test func `health is the coordinator's loop, not the server's`() async throws {
        var run = WebRun()
        run.configure = { $0.healthySilence = .zero }
        try await run.serving { _, client async throws in
            _ = try await client.listen("/events", until: ["event: status"])
            for path in ["/healthz", "/readyz"] {
                let answer = try await client.ask(path)
                #expect(answer.status == 503)
                #expect(answer.text.contains("the coordinator's loop last went round"))
            }
        }
    }

    @Test func `an address that is taken is an error with its name`() async throws {
        try await WebRun().serving { service, client async throws in
            let taken = WebAddress(host: "127.0.0.1", port: client.port)
            let second = WebFace(
                WebOptions(address: taken, token: .random()),
                of: service,
                in: LocalRunFolder(FileManager.default.temporaryDirectory.path())
            )
            await #expect(throws: WebError.self) { try await second.run() }
            #expect(try await client.ask("/healthz").status == 200)
        }
    }

    @Test func `a run is told as it goes: losses, rounds, events and checkpoints`() async throws {
        let run = WebRun(rounds: 1_000)
        try await run.serving { service, client async throws in
            async let told = client.listen(
                "/events",
                until: ["\"kind\":\"roundCommitted\"", "event: history"],
                within: 90
            )
            let workers = Task { try await run.work(for: service) }
            let text = try await told
            #expect(text.contains("event: events"))
            // Every tenth round is kept for good; the others are gone three rounds later.
            let file = "\(run.run.checkpoints)/round-000010/student.safetensors"
            while !FileManager.default.fileExists(atPath: file) {
                try await Task.sleep(for: .milliseconds(20))
            }
            let fetched = try await client.ask("/checkpoints/10/student.safetensors")
            #expect(fetched.status == 200)
            #expect(fetched.body == FileManager.default.contents(atPath: file).map(Array.init))
            #expect(
                fetched.headers["content-disposition"]
                    == "attachment; filename=\"round-10-student.safetensors\""
            )
            #expect(
                try await client.ask("/checkpoints/10/manifest.json").status == 404,
                "no file that it names"
            )
            let metrics = try await client.ask("/metrics").text
            #expect(metrics.contains("flowsteer_checkpoint_seconds_count{phase=\"ledger\"}"))
            #expect(metrics.contains("flowsteer_rollout_seconds_count"))
            #expect(metrics.contains("flowsteer_loss{term="))
            workers.cancel()
            _ = try? await workers.value
        }
    }

    @Test func `pages hear that the run is finished before the coordinator ends`() async throws {
        let run = WebRun(rounds: 1)
        try await run.serving { service, client async throws in
            async let told = client.listen("/events", until: ["\"state\":\"finished\""], within: 60)
            try await run.work(for: service)
            _ = try await told
        }
    }
}
