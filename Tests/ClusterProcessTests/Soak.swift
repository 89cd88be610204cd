import Foundation
import TestSupport
import Testing

/// A coordinator, three rollouts and two trainers, and who disturbs them.
///
/// One fault at a time is injected, so that one trainer at least is left alone; a process or a wire is soon put right
/// again, and the next fault does not wait until the cluster has got over the last.
final class Soak {
    /// What can happen.
    enum Fault: String, CaseIterable {
        case kill, shortPause, longPause, cut, shortSilence, longSilence, oneWaySilence, corruption, slowness

        /// Whether it happens to a process rather than to a wire.
        var isOfProcess: Bool { [.kill, .shortPause, .longPause].contains(self) }
    }

    /// A fault that happened.
    struct Injection {
        let fault: Fault
        let victim: String
        /// Seconds since 1970.
        let time: Double
    }

    let cluster: Cluster
    private static let workers = ["rollout-1", "rollout-2", "rollout-3", "trainer-1", "trainer-2"]
    /// How long the cluster may commit nothing.
    private static let patience = 60.0
    /// Proxies before the processes that listen.
    private var wires: [String: ChaosProxy] = [:]
    private var random: SeededGenerator
    private(set) var injections: [Injection] = []
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
        guard let fault = Fault.allCases.randomElement(using: &random) else { return }
        let victims = fault.isOfProcess ? [Cluster.coordinator] + Self.workers : wires.keys.sorted()
        guard let victim = victims.randomElement(using: &random) else { return }
        let span = Double.random(in: 0...1, using: &random)
        injections.append(Injection(fault: fault, victim: victim, time: Date().timeIntervalSince1970))
        switch fault {
        case .kill: try await kill(victim, backAfter: 0.5 * span)
        case .shortPause: try await pause(victim, for: 0.2 + 0.8 * span)
        case .longPause: try await pause(victim, for: 2.5 + 1.5 * span)
        case .cut:
            try await spoil(victim, by: \.cut) { wire in
                wire.cut()
            }
        case .shortSilence:
            try await spoil(
                victim,
                with: Weather(silent: [.forth, .back]),
                by: \.held,
                for: 0.2 + 0.8 * span
            )
        case .longSilence:
            try await spoil(
                victim,
                with: Weather(silent: [.forth, .back]),
                by: \.held,
                for: 2.5 + 1.5 * span
            )
        case .oneWaySilence:
            let way: Weather.Way = span < 0.5 ? .forth : .back
            try await spoil(victim, with: Weather(silent: [way]), by: \.held, for: 1 + 3 * span)
        case .corruption:
            try await spoil(victim, with: Weather(corruptionInterval: 400), by: \.corrupted, for: 0.3 + span)
        case .slowness:
            let weather = Weather(delay: .milliseconds(Int(20 + 80 * span)), bytesPerSecond: 400_000)
            try await spoil(victim, with: weather, by: \.byteCount, for: 0.5 + span)
        }
        // Gaps of a Poisson process.
        let gap = min(3, -0.7 * log(Double.random(in: 0.01...1, using: &random)))
        try await Task.sleep(for: .seconds(gap))
        try watch()
    }

    private func kill(_ name: String, backAfter pause: Double) async throws {
        try await cluster.kill9(name)
        try await Task.sleep(for: .seconds(pause))
        try cluster.start(name)
    }

    private func pause(_ name: String, for seconds: Double) async throws {
        cluster.signal(SIGSTOP, name)
        defer { cluster.signal(SIGCONT, name) }
        try await cluster.eventually("\(name) stands still") { try cluster.isStopped(name) }
        try await Task.sleep(for: .seconds(seconds))
    }

    /// Spoils a wire until that shows, and for a time at least.
    private func spoil(
        _ name: String,
        with weather: Weather = .fair,
        by figure: KeyPath<ChaosProxy.Tally, Int>,
        for seconds: Double = 0,
        _ deed: (ChaosProxy) -> Void = { _ in }
    ) async throws {
        let wire = try #require(wires[name])
        let before = wire.tally[keyPath: figure]
        wire.weather = weather
        defer { wire.weather = .fair }
        try await Task.sleep(for: .seconds(seconds))
        let deadline = ContinuousClock.now + .seconds(2)
        repeat {
            deed(wire)
            if wire.tally[keyPath: figure] > before { return }
            try await Task.sleep(for: .milliseconds(20))
        } while ContinuousClock.now < deadline
        // Nobody had anything to say to it.
        injections.removeLast()
    }

    // MARK: Watching

    /// Nobody has ended by itself, and rounds are committed.
    private func watch() throws {
        for name in [Cluster.coordinator] + Self.workers {
            try #require(cluster.isRunning(name), "\(name) has ended: \(cluster.errors(name))")
        }
        let round = try cluster.committed()
        if round > watched.round { watched = (round, .now) }
        let silence = watched.since.duration(to: .now)
        try #require(silence < .seconds(Self.patience), "no round was committed for \(silence)")
    }

    /// Lets the cluster come to rest, completes the run, and checks its books.
    func settle() async throws {
        let round = try cluster.committed()
        try await cluster.eventually("all nodes are alive") {
            let status = try cluster.status()
            return Self.workers.allSatisfy { status.contains("\($0), \($0.prefix { $0 != "-" }), alive") }
        }
        try await cluster.commits(round + 3)
        let drained = try cluster.command("drain")
        #expect(drained.exitCode == 0, "\(drained.errors)")
        try await cluster.finish()
        try cluster.auditIsClean()
    }

    /// What can be seen of a cluster that failed.
    var scene: String {
        let last = injections.suffix(8).map { "\($0.time) \($0.fault) \($0.victim)" }
        let journal = (try? String(contentsOfFile: cluster.runFile("events.jsonl"), encoding: .utf8)) ?? ""
        let words = ([Cluster.coordinator] + Self.workers).map { "\($0): \(cluster.errors($0))" }
        return (last + [(try? cluster.status()) ?? ""] + words + [String(journal.suffix(6_000))]).joined(
            separator: "\n"
        )
    }

    // MARK: Figures

    /// Faults by kind, and the time from a kill to the killed one's next piece of work.
    func report() throws -> String {
        let journal = try cluster.journal()
        var lines = Fault.allCases.map { fault in
            "\(fault.rawValue): \(injections.count { $0.fault == fault }) injected, all survived"
        }
        for role in [Cluster.coordinator, "rollout", "trainer"] {
            let kills = injections.filter { $0.fault == .kill && $0.victim.hasPrefix(role) }
            let times = kills.compactMap { kill in Self.timeToWork(after: kill, in: journal) }.sorted()
            guard let worst = times.last else { continue }
            let figures = [times[times.count / 2], worst].map { String(format: "%.2f s", $0) }
            lines.append(
                "\(role): \(kills.count) kills, to the next work median \(figures[0]), worst \(figures[1])"
            )
        }
        let rounds = try cluster.committed()
        lines.append("\(injections.count) faults, \(rounds) rounds committed")
        return lines.joined(separator: "\n")
    }

    /// Seconds until a lease or a step of the victim's; of anybody's, where that is the coordinator.
    private static func timeToWork(after kill: Injection, in journal: [Cluster.Event]) -> Double? {
        let later = journal.drop { $0.time < kill.time }
        let work = ["leased", "consumed"]
        guard kill.victim != Cluster.coordinator else {
            let restart = later.drop { $0.kind != "started" }
            return restart.first { work.contains($0.kind) }.map { $0.time - kill.time }
        }
        guard let join = later.firstIndex(where: { $0.kind == "joined" && $0.text == kill.victim }) else {
            return nil
        }
        let node = journal[join].node
        return later[join...].first { work.contains($0.kind) && $0.node == node }.map { $0.time - kill.time }
    }
}
