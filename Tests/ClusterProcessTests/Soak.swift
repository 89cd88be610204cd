import Foundation
import TestSupport
import Testing

/// A coordinator, three rollouts and two trainers, and who disturbs them.
///
/// One fault at a time is injected, so that one trainer at least is left alone; a process or a wire is soon put right
/// again, and the next fault does not wait until the cluster has got over the last.
final class Soak {
    let cluster: Cluster
    private static let workers = ["rollout-1", "rollout-2", "rollout-3", "trainer-1", "trainer-2"]
    /// How long the cluster may commit nothing.
    private static let patience = 60.0
    /// Proxies before the processes that listen.
    private var wires: [String: ChaosProxy] = [:]
    private var random: SeededGenerator
    /// Those that took effect, in the order of their beginning.
    private(set) var injections: [SoakFault.Injection] = []
    /// Faults of wires on which nobody had anything to say.
    private(set) var vainCount = 0
    private let beginning = ContinuousClock.now
    private var watched: (round: Int, since: ContinuousClock.Instant) = (0, .now)

    init(in folder: URL, seed: UInt64) throws {
        random = SeededGenerator(seed: seed)
        cluster = try Cluster(
            in: folder,
            workers: Self.workers,
            settings: [
                "training.rounds=1000000", "trajectory.max_uses=1", "cluster.grace=2", "cluster.suspect=0.6",
                "cluster.dead=2",
            ]
        )
        let there = "127.0.0.2"
        let port = cluster.port
        for (offset, name) in Self.workers.prefix(3).enumerated() {
            wires[name] = try ChaosProxy(
                at: there,
                to: "127.0.0.1",
                ports: port + 4 + offset..<port + 5 + offset
            )
        }
        wires[Cluster.coordinator] = try ChaosProxy(at: there, to: "127.0.0.1", ports: port..<port + 4)
        for name in wires.keys { cluster.machines[name] = .init(advertised: there) }
    }

    func end() { wires.values.forEach { $0.close() } }

    // MARK: Faults

    /// Lets the next fault happen, puts it right, and waits a moment; a fault that nobody noticed does not count.
    func injectNext() async throws {
        guard let fault = SoakFault.allCases.randomElement(using: &random) else { return }
        let victims = fault.isOfProcess ? [Cluster.coordinator] + Self.workers : wires.keys.sorted()
        guard let victim = victims.randomElement(using: &random) else { return }
        let span = Double.random(in: 0...1, using: &random)
        let place = try cluster.journal().count
        let node = try cluster.events("joined").last { $0.text == victim }?.node
        let begin = Date().timeIntervalSince1970
        if let effect = try await inflict(fault, on: victim, span) {
            injections.append(
                .init(
                    injections.count + 1,
                    fault,
                    of: victim,
                    begin: begin,
                    effect: effect,
                    place: place,
                    node: node
                )
            )
        } else {
            vainCount += 1
        }
        // Gaps of a Poisson process.
        let gap = min(3, -0.7 * log(Double.random(in: 0.01...1, using: &random)))
        try await Task.sleep(for: .seconds(gap))
        try watch()
    }

    /// Lets a fault happen, puts it right, and says how it showed; nil where nobody noticed.
    ///
    /// - Parameter span: how long, of what there is to choose from, from 0 to 1.
    private func inflict(_ fault: SoakFault, on victim: String, _ span: Double) async throws -> String? {
        switch fault {
        case .kill:
            try await cluster.kill9(victim)
            try await Task.sleep(for: .seconds(0.5 * span))
            try cluster.start(victim)
            return "ended by signal 9"
        case .shortPause: return try await pause(victim, for: 0.2 + 0.8 * span)
        case .longPause: return try await pause(victim, for: 2.5 + 1.5 * span)
        case .cut: return try await spoil(victim, by: \.cut, "connections reset") { $0.cut() }
        case .shortSilence:
            return try await silence(victim, [.forth, .back], for: 0.2 + 0.8 * span)
        case .longSilence:
            return try await silence(victim, [.forth, .back], for: 2.5 + 1.5 * span)
        case .oneWaySilence:
            return try await silence(victim, [span < 0.5 ? .forth : .back], for: 1 + 3 * span)
        case .corruption:
            let weather = Weather(corruptionInterval: 400)
            return try await spoil(victim, with: weather, by: \.corrupted, "bytes changed", for: 0.3 + span)
        case .slowness:
            let weather = Weather(delay: .milliseconds(Int(20 + 80 * span)), bytesPerSecond: 400_000)
            return try await spoil(victim, with: weather, by: \.byteCount, "bytes delayed", for: 0.5 + span)
        }
    }

    private func pause(_ name: String, for seconds: Double) async throws -> String {
        cluster.signal(SIGSTOP, name)
        defer { cluster.signal(SIGCONT, name) }
        try await cluster.eventually("\(name) stands still") { try cluster.isStopped(name) }
        try await Task.sleep(for: .seconds(seconds))
        return String(format: "stood still for %.1f s", seconds)
    }

    private func silence(_ name: String, _ ways: Set<Weather.Way>, for seconds: Double) async throws
        -> String?
    {
        try await spoil(name, with: Weather(silent: ways), by: \.held, "looks at held bytes", for: seconds)
    }

    /// Spoils a wire until that shows, and for a time at least; nil where nobody has anything to say to it.
    private func spoil(
        _ name: String,
        with weather: Weather = .fair,
        by figure: KeyPath<ChaosProxy.Tally, Int>,
        _ unit: String,
        for seconds: Double = 0,
        _ deed: (ChaosProxy) -> Void = { _ in }
    ) async throws -> String? {
        let wire = try #require(wires[name])
        let before = wire.tally[keyPath: figure]
        wire.weather = weather
        defer { wire.weather = .fair }
        try await Task.sleep(for: .seconds(seconds))
        let deadline = ContinuousClock.now + .seconds(2)
        repeat {
            deed(wire)
            let count = wire.tally[keyPath: figure] - before
            if count > 0 { return "\(count) \(unit)" }
            try await Task.sleep(for: .milliseconds(20))
        } while ContinuousClock.now < deadline
        return nil
    }

    // MARK: Watching

    /// Nobody has ended by itself, and rounds are committed.
    private func watch() throws {
        try tellResumptions()
        for name in [Cluster.coordinator] + Self.workers {
            try #require(cluster.isRunning(name), "\(name) has ended: \(cluster.errors(name))")
        }
        let round = try cluster.committed()
        if round > watched.round { watched = (round, .now) }
        let silence = watched.since.duration(to: .now)
        try #require(silence < .seconds(Self.patience), "no round was committed for \(silence)")
    }

    /// Prints the faults after which work has gone on since the last time.
    private func tellResumptions() throws {
        let log = try cluster.journal()
        for place in injections.indices where injections[place].resumption == nil {
            injections[place].look(at: log)
            if injections[place].resumption != nil { Self.tell(injections[place].line) }
        }
    }

    /// Prints at once, whoever reads.
    static func tell(_ text: String) { FileHandle.standardOutput.write(Data("\(text)\n".utf8)) }

    /// Lets the cluster come to rest, completes the run, checks its books, and returns what there is to say of them.
    func settle() async throws -> String {
        let round = try cluster.committed()
        try await cluster.eventually("all nodes are alive") {
            let status = try cluster.status()
            return Self.workers.allSatisfy { status.contains("\($0), \($0.prefix { $0 != "-" }), alive") }
        }
        try await cluster.commits(round + 3)
        try tellResumptions()
        let drained = try cluster.command("drain")
        #expect(drained.exitCode == 0, "\(drained.errors)")
        try await cluster.finish()
        return try cluster.auditIsClean()
    }

    /// What can be seen of a cluster that failed.
    var scene: String {
        let journal = (try? String(contentsOfFile: cluster.runFile("events.jsonl"), encoding: .utf8)) ?? ""
        let words = ([Cluster.coordinator] + Self.workers).map { "\($0): \(cluster.errors($0))" }
        return
            (injections.suffix(8).map(\.line) + [(try? cluster.status()) ?? ""] + words
            + [String(journal.suffix(6_000))]).joined(separator: "\n")
    }

    // MARK: Figures

    /// Faults by kind, and the time from a kill to the killed one's next piece of work.
    func report() throws -> String {
        let minutes = Double(beginning.duration(to: .now).components.seconds) / 60
        var lines = SoakFault.allCases.map { fault in
            let own = injections.filter { $0.fault == fault }
            return
                "\(fault.rawValue): \(own.count) took effect, work went on after \(own.count { $0.resumption != nil })"
        }
        for role in [Cluster.coordinator, "rollout", "trainer"] {
            let kills = injections.filter { $0.fault == .kill && $0.victim.hasPrefix(role) }
            let times = kills.compactMap(\.seconds).sorted()
            guard let worst = times.last else { continue }
            let figures = [times[times.count / 2], worst].map { String(format: "%.2f s", $0) }
            lines.append(
                "\(role): \(kills.count) kills, to the next work median \(figures[0]), worst \(figures[1])"
            )
        }
        let starts = try cluster.events("started").count
        lines.append(
            "\(injections.count) faults took effect and \(vainCount) did not in \(String(format: "%.1f", minutes)) minutes, "
                + "\(try cluster.committed()) rounds committed, \(starts - 1) restarts of the coordinator"
        )
        return lines.joined(separator: "\n")
    }
}
