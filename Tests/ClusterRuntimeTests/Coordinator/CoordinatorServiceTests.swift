import ClusterMessages
import Distillation
import Foundation
import Tensors
import Testing
import ZeroMQ

@testable import ClusterRuntime

@Suite(.timeLimit(.minutes(1))) struct CoordinatorServiceTests {
    @Test func `a rollout that says hello is welcome and gets a lease with its prompts`() async throws {
        try await withRunFolder { folder in
            let run = try TestRun(in: folder)
            try await run.serving { service in
                let node = try TestNode(keys: run.rollout)
                let control = try await node.connect(to: service.controlEndpoint, serverKey: run.serverKey)
                try await node.send(node.hello(.rollout, teacher: run.teacher), on: control)
                guard case .welcome(let welcome) = try await node.next(on: control) else {
                    Issue.record("the first answer was no welcome")
                    return
                }
                #expect(welcome.latestRound == .initial)
                #expect(welcome.trainerPublicKeys == [run.trainer.publicKey.text])
                let configuration = try RunConfiguration(yaml: welcome.configuration, path: "/welcome.yaml")
                #expect(configuration == run.options.configuration)

                let credit = Message.WorkCredit(batchCount: 1, byteCount: 1 << 30)
                try await node.send(.workCredit(credit), on: control)
                guard case .lease(let lease) = try await node.next(on: control) else {
                    Issue.record("the credit was not answered by a lease")
                    return
                }
                var corpus = try PromptCorpus(run.options.configuration)
                #expect(lease.prompts.map(\.text) == corpus.samples(of: lease.batch).map(\.text))
                #expect(lease.seed == run.options.configuration.seed)
                await node.close()
            }
        }
    }

    @Test func `a key nobody listed gets no further than the door`() async throws {
        try await withRunFolder { folder in
            let run = try TestRun(in: folder)
            try await run.serving { service in
                let stranger = try TestNode(keys: .generate())
                let person = try TestNode(keys: run.person)
                let line = try await stranger.connect(to: service.controlEndpoint, serverKey: run.serverKey)
                try await stranger.send(stranger.hello(.rollout, teacher: run.teacher), on: line)
                let control = try await person.connect(to: service.controlEndpoint, serverKey: run.serverKey)
                var refusals = 0
                while refusals == 0 { refusals = try await status(person, control).refusals }
                #expect(try await status(person, control).nodes.isEmpty)
                await stranger.close()
                await person.close()
            }
        }
    }

    @Test func `a node with another teacher, or in another role than its key's, is refused`() async throws {
        try await withRunFolder { folder in
            let run = try TestRun(in: folder)
            try await run.serving { service in
                let node = try TestNode(keys: run.trainer)
                let control = try await node.connect(to: service.controlEndpoint, serverKey: run.serverKey)
                try await node.send(node.hello(.trainer, teacher: hash(9)), on: control)
                #expect(try await node.next(on: control) { $0.asRefusal } == .teacherMismatch)
                try await node.send(node.hello(.rollout, teacher: run.teacher), on: control)
                #expect(try await node.next(on: control) { $0.asRefusal } == .auth)
                try await node.send(.statusRequest, on: control)
                #expect(try await node.next(on: control) { $0.asRefusal } == .auth)
                await node.close()
            }
        }
    }

    @Test(arguments: AveragingSettings.Rule.allCases)
    func `a round of one trainer is committed and outlives the coordinator`(rule: AveragingSettings.Rule)
        async throws
    {
        try await withRunFolder { folder in
            var run = try TestRun(in: folder)
            run.options.configuration.averaging.student = rule
            // Numbers that differ from the initial ones, as training would make them.
            let offered = ParameterBytes(
                run.initial.segments.map { .init(name: $0.name, values: $0.values.scaled(by: 1.5)) }
            )
            let expected = rule == .mean ? offered : outerStep(from: run.initial, to: offered)
            let committed = try await run.serving { [run] service in
                let round = try await Round(of: run, offering: offered, at: service)
                await round.close()
                return round.committed
            }
            #expect(committed == expected.hash)

            try await run.serving { [run] service in
                let trainer = try TestNode(keys: run.trainer)
                let control = try await trainer.connect(to: service.controlEndpoint, serverKey: run.serverKey)
                try await trainer.send(trainer.hello(.trainer, teacher: run.teacher), on: control)
                let welcome = try await trainer.next(on: control) { $0.asWelcome }
                #expect(welcome.latestRound == RoundNumber(1))
                #expect(welcome.node == NodeID(2))
                let averaging = try await trainer.connect(
                    to: welcome.averagingEndpoint,
                    serverKey: run.serverKey
                )
                for segment in expected.segments {
                    let request = Message.ParameterRequest(
                        round: RoundNumber(1),
                        segment: segment.name,
                        offset: 0,
                        creditByteCount: segment.byteCount
                    )
                    try await trainer.send(.parameterRequest(request), on: averaging)
                    var bytes: [UInt8] = []
                    while bytes.count < segment.byteCount {
                        bytes += try await trainer.next(on: averaging) { $0.asParameters }.payload
                    }
                    #expect(bytes == segment.values.encoded())
                }
                await trainer.close()
            }
        }
    }

    @Test func `a second coordinator on the folder is refused`() async throws {
        try await withRunFolder { folder in
            let run = try TestRun(in: folder)
            try await run.serving { _ in
                let error = await #expect(throws: CoordinatorError.self) {
                    _ = try await CoordinatorService(run.options)
                }
                #expect(error == .folderInUse(path: "\(run.options.runFolder)/ledger.sqlite"))
            }
        }
    }

    @Test func `after the last round the nodes hear of it and the report has their last figures`()
        async throws
    {
        try await withRunFolder { folder in
            let run = try TestRun(in: folder, rounds: 1)
            let service = try await CoordinatorService(run.options)
            async let end: Void = service.run()
            let round = try await Round(of: run, offering: run.initial, at: service)
            try await round.leave(peakMemoryByteCount: 4096)
            try await end
            await round.close()

            let bytes = try Data(contentsOf: URL(filePath: "\(run.options.runFolder)/status.json"))
            let status = try RunStatus(decoding: Array(bytes))
            #expect(status.state == .finished)
            #expect(status.round == RoundNumber(1))
            #expect(status.batches.committed == 1)
            #expect(status.losses == ["distillation": 0.5])
            #expect(status.nodes.map(\.role) == [.rollout, .trainer])
            #expect(status.nodes.map(\.peakMemoryByteCount) == [4096, 4096])
            let events = try String(contentsOfFile: "\(run.options.runFolder)/events.jsonl", encoding: .utf8)
            let lines = try events.split(separator: "\n").map {
                try JSONDecoder().decode(JournalLine.self, from: Data($0.utf8))
            }
            #expect(lines.filter { $0.kind == "losses" }.map(\.losses) == [["distillation": 0.5]])
            #expect(lines.map(\.kind).filter { ["roundCommitted", "finished"].contains($0) }.count == 2)
        }
    }

    // MARK: Conversations

    private func status(_ person: TestNode, _ line: TestNode.Line) async throws -> RunStatus {
        try await person.send(.statusRequest, on: line)
        return try await person.next(on: line) { $0.asStatus }
    }

    private func outerStep(from base: ParameterBytes, to mean: ParameterBytes) -> ParameterBytes {
        ParameterBytes(
            zip(base.segments, mean.segments).map { base, mean in
                guard base.name == "student" else { return mean }
                let step = OuterStep.nesterov(base: base.values, mean: mean.values, velocity: nil)
                return ParameterBytes.Segment(name: base.name, values: step.values)
            }
        )
    }
}
