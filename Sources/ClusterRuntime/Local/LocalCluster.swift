import Foundation
import Glibc

/// A whole cluster as child processes of this one.
///
/// Whatever ends a run (success, failure, a signal), no child outlives ``run()``; should this process itself be
/// killed, the children notice through ``ParentWatch``.
package actor LocalCluster {
    /// Between two looks at the children.
    private static let tick: Duration = .milliseconds(200)
    /// Time children have to end in peace.
    private static let grace: Duration = .seconds(15)

    private let options: LocalRunOptions
    private let patience: Duration
    private let start = ContinuousClock.now
    private var display = ProgressDisplay()
    private var children: [String: ChildProcess] = [:]
    private var policies: [String: RestartPolicy] = [:]
    private var endpoint: String?
    private var page: WebPlace?
    private var faults: FaultPlan
    private var isInterrupted = false

    /// - Parameters:
    ///   - faults: deaths for the processes it starts.
    ///   - patience: how long it waits for a coordinator in the folder whose parent was killed.
    package init(_ options: LocalRunOptions, faults: FaultPlan, patience: Duration = .seconds(15)) {
        self.options = options
        self.faults = faults
        self.patience = patience
    }

    /// Starts everything, keeps it running, and returns when the run is finished and all children are gone.
    ///
    /// - Throws: ``LocalError`` when a person stopped it, or a child fails for good; ``CoordinatorError`` when a run is
    ///   going on in the folder.
    package func run() async throws {
        try await waitUntilFree()
        try options.prepare()
        for path in [options.runFolder.coordinator, options.runFolder.web] {
            try? FileManager.default.removeItem(atPath: path)
        }
        let signals = StopSignals()
        let arrivals = signals.arrivals
        defer {
            withExtendedLifetime(signals) {}
            signal(SIGINT, SIG_DFL)
            signal(SIGTERM, SIG_DFL)
        }
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                for await _ in arrivals { break }
                await self.interrupt()
                return false
            }
            group.addTask {
                try await self.work()
                return true
            }
            while let isOver = try await group.next(), !isOver {}
            group.cancelAll()
        }
    }

    /// Nothing of a run that is going on in the folder may be touched.
    private func waitUntilFree() async throws {
        let folder = options.runFolder.path
        guard FileManager.default.fileExists(atPath: "\(folder)/ledger.sqlite") else { return }
        let deadline = ContinuousClock.now + patience
        while true {
            do {
                return try Ledger(folder: folder).close()
            } catch {
                guard case .folderInUse = error, ContinuousClock.now < deadline else { throw error }
            }
            try await Task.sleep(for: Self.tick)
        }
    }

    private func interrupt() {
        // The other task's cancellation when all is over comes here too.
        guard !Task.isCancelled else { return }
        isInterrupted = true
    }

    private func work() async throws {
        do {
            try launch(options.coordinator(port: 0))
            while try await isUnfinished() { try await Task.sleep(for: Self.tick) }
        } catch {
            display.finish()
            try await endChildren()
            throw error
        }
        // Workers hear of the end from the coordinator and leave by themselves.
        try await endChildren(isFinished: true)
        if let status = try options.runFolder.readStatus() {
            display.show(ProgressLine(status), isLast: true)
        }
        display.finish()
    }

    /// One look at everything; false when the run is finished.
    private func isUnfinished() async throws -> Bool {
        guard !isInterrupted else { throw LocalError.interrupted(folder: options.runFolder.path) }
        if endpoint == nil { try welcomeCoordinator() }
        if options.web != nil, page == nil { showPage() }
        for (name, child) in children.sorted(by: { $0.key < $1.key }) {
            guard let end = child.end else { continue }
            children[name] = nil
            if name == "coordinator", end == .exited(0) { return false }
            try attend(to: child, end)
        }
        if let status = try? options.runFolder.readStatus(), endpoint != nil {
            display.show(ProgressLine(status))
        }
        return true
    }

    /// Starts the workers once the coordinator says where it is.
    private func welcomeCoordinator() throws {
        guard let endpoint = try CoordinatorAddress(path: options.runFolder.coordinator)?.control else {
            return
        }
        self.endpoint = endpoint
        for worker in options.workers {
            try launch(options.worker(worker.name, verb: worker.verb, coordinator: endpoint))
        }
    }

    /// Says where the page is, with the token that its buttons need, once it is served.
    private func showPage() {
        guard let place = try? WebPlace(path: options.runFolder.web),
            let token = try? AccessToken(readingFrom: options.web?.tokenPath ?? options.runFolder.webToken)
        else { return }
        page = place
        display.say("live page: \(place.url)#\(token.text)")
    }

    private func launch(_ command: ChildCommand) throws {
        var command = command
        command.fault = faults.next(for: command.name)
        children[command.name] = try ChildProcess(starting: command)
    }

    /// Starts a child again that ended before the run did, or gives the run up.
    private func attend(to child: ChildProcess, _ end: ChildEnd) throws {
        let name = child.command.name
        let decision = policies[name, default: RestartPolicy()].decide(end, at: start.duration(to: .now))
        switch decision {
        case .leave:
            // At the end they all do; that is no news.
            log("\(name) has left")
        case .restart:
            note("\(name) \(end), it is started again")
            // Workers and browsers know the coordinator by its ports, so it keeps them.
            let port = endpoint.flatMap { $0.split(separator: ":").last }.flatMap { Int($0) } ?? 0
            let coordinator = options.coordinator(port: port, webPort: page?.port)
            try launch(name == "coordinator" ? coordinator : child.command)
        case .fail(let exit):
            throw LocalError.processFailed(
                name: name,
                exit: exit,
                log: child.command.log,
                lastLine: child.lastLine
            )
        case .giveUp(let restarts):
            throw LocalError.processKeepsFailing(
                name: name,
                restarts: restarts,
                log: child.command.log,
                lastLine: child.lastLine
            )
        }
    }

    /// Tells the person, and `logs/local.log`.
    private func note(_ text: String) {
        display.say(text)
        log(text)
    }

    private func log(_ text: String) {
        let path = "\(options.runFolder.logs)/local.log"
        let line = "\(Date().ISO8601Format()) \(text)\n"
        if let file = FileHandle(forWritingAtPath: path) {
            _ = try? file.seekToEnd()
            file.write(Data(line.utf8))
            try? file.close()
        } else {
            _ = FileManager.default.createFile(atPath: path, contents: Data(line.utf8))
        }
    }

    /// Returns when no child is left: asked first, unless they end by themselves, then forced.
    private func endChildren(isFinished: Bool = false) async throws {
        if !isFinished { children.values.forEach { $0.terminate() } }
        let clock = ContinuousClock()
        let deadline = clock.now + Self.grace
        while children.values.contains(where: { $0.end == nil }), clock.now < deadline {
            try await Task.sleep(for: Self.tick)
        }
        for child in children.values where child.end == nil { child.kill() }
        while children.values.contains(where: { $0.end == nil }) { try await Task.sleep(for: Self.tick) }
        children = [:]
    }
}

extension ChildEnd: CustomStringConvertible {
    var description: String {
        switch self {
        case .exited(let code): "ended with exit code \(code)"
        case .killed(let signal): "was killed by signal \(signal)"
        }
    }
}
