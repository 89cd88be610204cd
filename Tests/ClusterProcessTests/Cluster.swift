import Foundation
import TestSupport
import Testing

/// A cluster whose processes are started, stopped and killed one by one, as people do on machines of their own.
final class Cluster {
    /// Where a process runs, and how others reach it.
    struct Machine {
        /// Words before the program's command: `ip netns exec NAME`.
        var launcher: [String] = []
        /// The address it serves at.
        var address = "127.0.0.1"
        /// The address at which others look for it.
        var advertised = "127.0.0.1"
        /// Where it looks for the coordinator.
        var coordinator: String?
        /// Variables of its environment.
        var environment: [String: String] = [:]
    }

    static let coordinator = "coordinator"
    private static let person = "operator-1"

    /// Keys, outputs, and the folders of the workers.
    let folder: URL
    /// The coordinator's run.
    let run: URL
    /// The first of the coordinator's four ports; those of the rollouts follow, one each.
    let port: Int
    /// All that is different from running on this machine.
    var machines: [String: Machine] = [:]
    /// What the paths of the run begin with, where the coordinator's process sees other disks than the test.
    var runRoot = ""
    /// Other teachers than the shipped one.
    var models: [String: String] = [:]
    private let settings: [String]
    private let workers: [String]
    private var processes: [String: Process] = [:]
    private var log = EventLog()

    /// Makes keys and lists for workers called `rollout-N` and `trainer-N`; starts nothing.
    ///
    /// - Parameter settings: of ``SmallRun``, `group.key=value`.
    init(in folder: URL, workers: [String] = ["rollout-1", "trainer-1"], settings: [String] = []) throws {
        self.folder = folder
        self.settings = settings
        self.workers = workers
        run = folder.appending(path: "run")
        port = try freePorts(4 + workers.count)
        try SmallRun.configuration.write(
            to: folder.appending(path: "run.yaml"),
            atomically: true,
            encoding: .utf8
        )
        for name in [Self.coordinator, Self.person] + workers {
            let made = try Program.run(["keygen", "--out", key(name)], in: folder)
            try #require(made.exitCode == 0, "\(made.errors)")
        }
        try authorize(workers)
    }

    /// Everything still running is killed.
    deinit { for process in processes.values { end(process) } }

    // MARK: Processes

    /// Lets in these workers and nobody else, from when the coordinator looks again.
    func authorize(_ names: [String]) throws {
        let lines = try (names + [Self.person]).map { name in
            let text = try String(contentsOfFile: key(name) + ".pub", encoding: .utf8)
            return "\(name) \(role(name)) \(text)"
        }
        try lines.joined().write(toFile: path("authorized_nodes"), atomically: true, encoding: .utf8)
    }

    /// Starts the coordinator and waits until it can be found, then the workers, each once the one before has
    /// joined: a trainer's draws depend on its number, which it has from the order of arrival.
    func start() async throws {
        try await startCoordinator()
        for worker in workers { try await join(worker) }
    }

    /// Starts the coordinator, and waits until it says where it is.
    func startCoordinator() async throws {
        let incarnations = try events("started").count
        try start(Self.coordinator)
        let process = try #require(processes[Self.coordinator])
        try await eventually("the coordinator serves") {
            try #require(process.isRunning, "\(errors(Self.coordinator))")
            return try events("started").count > incarnations
        }
    }

    /// Starts a worker and waits until it is a member.
    func join(_ name: String) async throws {
        let joins = try events("joined", of: name).count
        try start(name)
        try await eventually("\(name) joins") {
            try #require(isRunning(name), "\(errors(name))")
            return try events("joined", of: name).count > joins
        }
    }

    /// Starts a process under a name, or anew.
    ///
    /// - Parameter twin: what the process is called whose key and name it shows.
    func start(_ name: String, as twin: String? = nil) throws {
        if let former = processes[name] { end(former) }
        processes[name] = try Program.start(
            arguments(name, as: twin ?? name),
            in: folder,
            name: name,
            environment: machines[name]?.environment ?? [:],
            launcher: machines[name]?.launcher ?? []
        )
    }

    /// Sends a process a signal.
    func signal(_ number: Int32, _ name: String) {
        guard let process = processes[name], process.isRunning else { return }
        kill(process.processIdentifier, number)
    }

    func isRunning(_ name: String) -> Bool { processes[name]?.isRunning ?? false }

    /// Whether a signal has stopped a process.
    func isStopped(_ name: String) throws -> Bool {
        let process = try #require(processes[name])
        let text = try String(contentsOfFile: "/proc/\(process.processIdentifier)/stat", encoding: .utf8)
        // After the name in parentheses comes the state.
        return text.split(separator: ")").last?.hasPrefix(" T") ?? false
    }

    /// Waits until a process has ended, and returns its exit code; a signal that killed it is negative.
    func exit(of name: String) async throws -> Int32 {
        try await eventually("\(name) ends") { !isRunning(name) }
        let process = try #require(processes[name])
        let status = process.terminationStatus
        return process.terminationReason == .exit ? status : -status
    }

    /// Kills a process at once, and waits until it is gone.
    func kill9(_ name: String) async throws {
        signal(SIGKILL, name)
        #expect(try await exit(of: name) == -SIGKILL)
    }

    /// Waits until the run is finished, and everybody has left in peace.
    func finish() async throws {
        for name in [Self.coordinator] + workers where processes[name] != nil {
            #expect(try await exit(of: name) == 0, "\(name): \(errors(name))")
        }
    }

    /// Runs another coordinator on the same folder to its end.
    func secondCoordinator(port: Int) throws -> Program.Outcome {
        var arguments = try arguments(Self.coordinator, as: Self.coordinator)
        arguments += ["--bind", "tcp://127.0.0.1:\(port)"]
        return try Program.run(arguments, in: folder)
    }

    private func end(_ process: Process) {
        guard process.isRunning else { return }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    // MARK: What there is to see

    /// The lines of the coordinator's log of a kind, all of them or those of a node of this name.
    func events(_ kind: String, of name: String? = nil) throws -> [EventLog.Event] {
        let all = try journal()
        guard let name else { return all.filter { $0.kind == kind } }
        let numbers = Set(all.filter { $0.kind == "joined" && $0.text == name }.compactMap(\.node))
        return all.filter { $0.kind == kind && $0.node.map(numbers.contains) ?? false }
    }

    /// The coordinator's log; a line being written is not there yet.
    func journal() throws -> [EventLog.Event] {
        try log.read(on: runFile("events.jsonl"))
        return log.events
    }

    /// Rounds committed so far.
    func committed() throws -> Int { try events("roundCommitted").compactMap(\.round).max() ?? 0 }

    /// Waits for a round's commit.
    func commits(_ round: Int) async throws {
        try await eventually("round \(round) is committed") { try committed() >= round }
    }

    /// Waits until the run does not go on any more: for a second nothing is committed, and all the while its status
    /// says why.
    ///
    /// At first the reason may be one of those that are over in a moment, and what was under way is still committed.
    func standsStill(because reason: String) async throws {
        var (round, start) = (-1, ContinuousClock.now)
        try await eventually("the run stands still, and the status says '\(reason)'") {
            let isSaid = try status().contains(reason)
            let last = try committed()
            if !isSaid || last != round { (round, start) = (last, .now) }
            return start.duration(to: .now) >= .seconds(1)
        }
    }

    /// What a process said last.
    func errors(_ name: String) -> String {
        String((try? Program.text(name + ".err", in: folder))?.suffix(2_000) ?? "")
    }

    /// Connections of the coordinator's that have ended, as `status.json` counts them.
    func ended() throws -> Int {
        struct Status: Decodable {
            struct Door: Decodable { let ended: Int }
            let doors: [Door]
        }
        guard let data = FileManager.default.contents(atPath: runFile("status.json")) else { return 0 }
        return try JSONDecoder().decode(Status.self, from: data).doors.reduce(0) { $0 + $1.ended }
    }

    /// Polls until something is so.
    ///
    /// - Parameter what: what is waited for, in words for a person.
    func eventually(
        within seconds: Double = 60,
        _ what: String,
        sourceLocation: SourceLocation = #_sourceLocation,
        _ condition: () throws -> Bool
    ) async throws {
        let deadline = ContinuousClock.now + .seconds(seconds)
        while try !condition() {
            guard ContinuousClock.now < deadline else {
                let status = (try? String(contentsOfFile: runFile("status.json"), encoding: .utf8)) ?? ""
                try #require(
                    Bool(false),
                    "waited \(seconds) s until \(what); \(status)",
                    sourceLocation: sourceLocation
                )
                return
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// A file of the coordinator's run, wherever its process sees it.
    func runFile(_ name: String) -> String { runRoot + run.appending(path: name).path() }

    /// The bytes of what the run made: parameters of the last round.
    func result(ofRound round: Int) throws -> [String: Data] {
        let folder = "checkpoints/round-\(String(format: "%06d", round))"
        let names = [
            "student.safetensors", "discriminator.safetensors", "update_counts.safetensors",
            "moments.safetensors",
        ]
        return try Dictionary(
            uniqueKeysWithValues: names.map {
                ($0, try Data(contentsOf: URL(filePath: runFile("\(folder)/\($0)"))))
            }
        )
    }

    /// Checks the ledger and the log of the run, whose coordinator has ended, and returns what there is to say of them.
    @discardableResult
    func auditIsClean(sourceLocation: SourceLocation = #_sourceLocation) throws -> String {
        let launcher = machines[Self.coordinator]?.launcher ?? []
        let audit = try Program.run(["ledger", "check", run.path()], in: folder, launcher: launcher)
        #expect(audit.exitCode == 0, "\(audit.output)\(audit.errors)", sourceLocation: sourceLocation)
        return audit.output
    }

    /// Ends the coordinator in peace, and checks what it leaves.
    func stop(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        signal(SIGTERM, Self.coordinator)
        let code = try await exit(of: Self.coordinator)
        #expect(code == 0, "\(errors(Self.coordinator))", sourceLocation: sourceLocation)
        try auditIsClean(sourceLocation: sourceLocation)
    }

    /// What `flowsteer status` says.
    func status() throws -> String { try command("status").output }

    /// Runs a person's command to the coordinator, from its machine.
    func command(_ verb: String) throws -> Program.Outcome {
        let machine = machines[Self.coordinator] ?? Machine()
        let arguments = [
            verb, "--coordinator", "tcp://\(machine.address):\(port)", "--keys", key(Self.person) + ".key",
            "--server-key", key(Self.coordinator) + ".pub",
        ]
        return try Program.run(arguments, in: folder, launcher: machine.launcher)
    }

    // MARK: Command lines

    private func path(_ name: String) -> String { folder.appending(path: name).path() }
    private func key(_ name: String) -> String { path("keys/\(name)") }

    private func role(_ name: String) -> String { String(name.prefix { $0 != "-" }) }

    private func arguments(_ name: String, as twin: String) throws -> [String] {
        let machine = machines[name] ?? Machine()
        if name == Self.coordinator {
            return [
                "coordinator", "--config", path("run.yaml"), "--run", run.path(), "--keys",
                key(name) + ".key",
                "--authorized", path("authorized_nodes"), "--bind", "tcp://\(machine.address):\(port)",
                "--consecutive-ports", "--advertise", machine.advertised,
            ] + settings.flatMap { ["--set", $0] }
        }
        let host = machine.coordinator ?? machines[Self.coordinator]?.advertised ?? "127.0.0.1"
        let arguments = [
            "\(role(twin))-worker", "--coordinator", "tcp://\(host):\(port)",
            "--server-key", key(Self.coordinator) + ".pub", "--keys", key(twin) + ".key", "--name", twin,
            "--run", path("workers/\(name)"), "--lanes", "1", "--model", models[name] ?? Repository.teacher,
        ]
        // Trainers serve rings at any port, and a process beside its twin cannot have the same.
        var port = 0
        if role(twin) == "rollout", name == twin {
            port = self.port + 4 + (try #require(workers.firstIndex(of: twin)))
        }
        return arguments + [
            "--bind", "tcp://\(machine.address):\(port)", "--advertise", machine.advertised,
        ]
    }
}
