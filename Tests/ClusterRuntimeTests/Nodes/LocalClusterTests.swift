import Checkpoints
import ClusterMessages
import Coordination
import DiffusionModels
import Distillation
import Foundation
import NeuralNetwork
import Tensors
import Testing
import ZeroMQ

@testable import ClusterRuntime

/// A coordinator, a rollout and a trainer in one process, over real sockets, with the shipped teacher.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct LocalClusterTests {
    /// Runs a coordinator, a rollout and a trainer until the run is finished.
    private func complete(_ run: SmallRun) async throws {
        let service = try await run.coordinator()
        let rollout = try RolloutWorker(run.options("rollout", of: service))
        let trainer = try TrainerWorker(run.options("trainer", of: service))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await service.run() }
            group.addTask { try await rollout.run() }
            group.addTask { try await trainer.run() }
            for try await _ in group {}  // The first failure cancels the others.
        }
    }

    // Offered moments go to a state of floats and come back; in bytes they are the same bytes then.
    @Test(arguments: [
        (rounds: 2 as UInt64, period: 1, moments: AdamW.Storage.floats, student: Student.Mode.lora),
        (rounds: 3, period: 2, moments: .bytes, student: .lora),
        (rounds: 2, period: 1, moments: .floats, student: .full),
    ])
    func `a cluster of one rollout and one trainer equals a single process bit for bit`(
        _ example: (rounds: UInt64, period: Int, moments: AdamW.Storage, student: Student.Mode)
    ) async throws {
        var run = try SmallRun(rounds: example.rounds)
        run.student = example.student
        run.discriminatorPeriod = example.period
        run.moments = example.moments
        defer { run.remove() }
        try await complete(run)
        let status = try run.status()
        let last = example.rounds
        #expect(status.round == RoundNumber(last))
        var used = RunStatus.Batches()
        used.committed = Int(last)
        #expect(status.batches == used, "no batch is made in vain")
        #expect(try run.student(of: last) == run.singleProcess())
        let fetched = FileManager.default.contents(
            atPath: run.file("student.safetensors", of: last, in: "rollout")
        )
        #expect(fetched == FileManager.default.contents(atPath: run.file("student.safetensors", of: last)))
        #expect(fetched != nil)
        // Between two averages the committed discriminator stays what it was.
        let discriminators = try (1...last).map { round in
            try #require(
                FileManager.default.contents(atPath: run.file("discriminator.safetensors", of: round))
            )
        }
        for round in 2...last {
            let stays = discriminators[Int(round) - 1] == discriminators[Int(round) - 2]
            #expect(stays == !round.isMultiple(of: UInt64(example.period)), "round \(round)")
        }
    }

    @Test func `a method in which nobody judges the student exchanges and commits the student alone`()
        async throws
    {
        var run = try SmallRun(rounds: 2)
        run.method = .perflow
        defer { run.remove() }
        try await complete(run)
        #expect(try run.student(of: 2) == run.singleProcess())
        let folder = URL(filePath: run.file("", of: 2)).path
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == [
                "manifest.json", "manifest.sha256", "moments.safetensors", "student.safetensors",
                "update_counts.safetensors",
            ]
        )
        let moments = try SafetensorsFile(path: run.file("moments.safetensors", of: 2))
        #expect(
            moments.names.sorted() == ["moment_ages", "student_first_moment", "student_second_moment"]
        )
        // What is there is all that going on needs.
        _ = try await run.coordinator()
    }

    @Test(arguments: [AveragingSettings.Exchange.float16, .int8])
    func `offers of fewer bits leave the student where 32-bit floats do, nearly`(
        exchange: AveragingSettings.Exchange
    ) async throws {
        var run = try SmallRun(rounds: 3)
        run.exchange = exchange
        defer { run.remove() }
        try await complete(run)
        #expect(try run.status().round == RoundNumber(3))
        func tensor(_ values: [Float]) -> Tensor { Tensor(values, shape: [values.count]) }
        let (rounded, exact) = (try tensor(run.student(of: 3)), tensor(try run.singleProcess()))
        let start = try tensor(run.initialStudent())
        let error = rounded.squaredDistance(to: exact) / exact.squaredDistance(to: start)
        #expect(error > 0)
        // A difference's own rounding is 2^-11 of it in halves and 1/254 of a block's largest in bytes.
        #expect(error.squareRoot() < (exchange == .float16 ? 0.001 : 0.02))
    }

    @Test func `a trainer whose folder cannot be made for paged state says so and ends`() async throws {
        let run = try SmallRun(rounds: 1)
        defer { run.remove() }
        let path = run.folder.appending(path: "trainer").path
        #expect(FileManager.default.createFile(atPath: path, contents: Data()))
        let error = await #expect(throws: FileWritingError.self) { try await complete(run) }
        #expect(error?.path == path)
    }

    @Test(arguments: Student.Mode.allCases)
    func `workers go on with the next coordinator when theirs is gone in the middle of the run`(
        student: Student.Mode
    ) async throws {
        var run = try SmallRun(rounds: 4)
        run.student = student
        run.averageDecay = student == .full ? 0.5 : 0
        defer { run.remove() }
        let ports = try await freePorts()
        let first = try await run.coordinator(ports)
        let rollout = try RolloutWorker(run.options("rollout", of: first))
        let trainer = try TrainerWorker(run.options("trainer", of: first))
        let hints = try await Hints(of: first, ports, for: run)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await rollout.run() }
            group.addTask { try await trainer.run() }
            group.addTask { [run] in
                let serving = Task { try await first.run() }
                await hints.first()
                serving.cancel()
                try await serving.value
                try await run.coordinator(ports).run()
            }
            for try await _ in group {}  // The first failure cancels the others.
        }
        await hints.end()
        let status = try run.status()
        #expect(status.round == RoundNumber(4))
        #expect(try run.student(of: 4) == run.singleProcess())
    }

    @Test func `the run goes on when a rollout dies with the trajectories it holds`() async throws {
        var run = try SmallRun(rounds: 3)
        run.deadAfter = .seconds(4)
        defer { run.remove() }
        let ports = try await freePorts()
        let service = try await run.coordinator(ports)
        let doomed = try RolloutWorker(run.options("rollout", of: service))
        let trainer = try TrainerWorker(run.options("trainer", of: service))
        let spare = try RolloutWorker(run.options("spare", of: service))
        let hints = try await Hints(of: service, ports, for: run)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await service.run() }
            group.addTask { try await trainer.run() }
            group.addTask {
                let dying = Task { try await doomed.run() }
                await hints.first()
                await doomed.network.context.terminate()
                dying.cancel()
                _ = await dying.result
                try await spare.run()
            }
            for try await _ in group {}  // The first failure cancels the others.
        }
        await hints.end()
        let status = try run.status()
        #expect(status.round == RoundNumber(3))
        #expect(status.batches.dead == 0)
        #expect(try run.student(of: 3) == run.singleProcess())
    }

    /// Ports that nobody uses now.
    private func freePorts() async throws -> CoordinatorOptions.Ports {
        let context = try Context(allowsInsecure: true)
        let thread = SocketThread(name: "test-ports")
        var found: [Int] = []
        for _ in 0..<4 {
            let channel = try Channel(.router, in: context, on: thread, security: .plain)
            let endpoint = try await channel.bind(to: "tcp://127.0.0.1:*")
            found.append(try #require(endpoint.split(separator: ":").last.flatMap { Int($0) }))
        }
        await context.terminate()
        var ports = CoordinatorOptions.Ports()
        (ports.control, ports.averaging, ports.checkpoints, ports.announcements) = (
            found[0], found[1], found[2], found[3]
        )
        return ports
    }
}

/// A subscriber to a coordinator's hints, with the trainer's key.
private struct Hints {
    private let network: NodeNetwork
    private let channel: Channel

    init(of service: CoordinatorService, _ ports: CoordinatorOptions.Ports, for run: SmallRun) async throws {
        network = try NodeNetwork(run.options("trainer", of: service))
        channel = try await network.connect(
            .subscriber,
            to: "tcp://127.0.0.1:\(ports.announcements)",
            serverKey: service.publicKey
        )
        try await channel.subscribe()
    }

    /// Returns when a round is committed.
    func first() async { for await _ in channel.messages { return } }

    func end() async { await network.context.terminate() }
}
