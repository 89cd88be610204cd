import ClusterMessages
import DiffusionModels
import Distillation
import Foundation
import Tensors
import Testing
import ZeroMQ

@testable import ClusterRuntime

/// A processor of another kind may make other numbers of round 0 than the coordinator's.
@Suite(.timeLimit(.minutes(1))) struct FirstParametersTests {
    @Test func `a trainer whose first parameters are not the coordinator's takes the coordinator's`()
        async throws
    {
        let run = try SmallRun(rounds: 1)
        defer { run.remove() }
        let networks = try TrainableNetworks(
            teacher: ModelFolder(path: run.configuration.modelPath),
            network: run.configuration.network,
            seed: run.configuration.seed
        )
        let own = ParameterBytes(networks, run.configuration.averaging)
        let committed = ParameterBytes(
            own.segments.map { .init(name: $0.name, values: $0.values.scaled(by: 1.5)) }
        )
        let coordinator = try await FirstCoordinator(run, committed: committed)
        let trainer = try TrainerWorker(coordinator.trainerOptions(run))
        let work = Task { try await trainer.run() }

        var hello = try await coordinator.greet()
        #expect(hello.parameterHash == nil, "it has no parameters before it knows the run")
        while hello.parameterHash == nil { hello = try await coordinator.greet() }
        #expect(hello.round == .initial)
        #expect(hello.parameterHash == committed.hash)
        #expect(await trainer.engine?.hash == committed.hash)
        try await coordinator.finish()
        try await work.value
        await coordinator.close()
    }
}

/// A coordinator that welcomes one trainer and has parameters of its own: two sockets and the codec.
private final class FirstCoordinator {
    private struct Gone: Error {}

    private let context: Context
    private let control: Channel
    private let controlEndpoint: String
    private let averagingEndpoint: String
    private let configuration: String
    private let committed: ParameterBytes
    private let letterhead = Letterhead(runID: "first", incarnation: .random())
    private let serving: Task<Void, any Error>
    private var messages: AsyncStream<ReceivedMessage>.Iterator
    private var trainer = RoutingID([])
    private var sequence: UInt64 = 0

    init(_ run: SmallRun, committed: ParameterBytes) async throws {
        context = try Context(allowsInsecure: true)
        let thread = SocketThread(name: "test-coordinator")
        control = try Channel(.router, in: context, on: thread, security: .plain)
        let averaging = try Channel(.router, in: context, on: thread, security: .plain)
        controlEndpoint = try await control.bind(to: "tcp://127.0.0.1:*")
        averagingEndpoint = try await averaging.bind(to: "tcp://127.0.0.1:*")
        messages = control.messages.makeAsyncIterator()
        configuration = run.configuration.yaml
        self.committed = committed
        serving = Task { [letterhead] in
            for await received in averaging.messages {
                let message = try MessageCodec.decode(frames: received.frames).message
                guard case .parameterRequest(let request) = message, let peer = received.peer,
                    let bytes = committed[request.segment]?.values.encoded()
                else { continue }
                let fragment = Message.ParameterFragment(
                    round: request.round,
                    segment: request.segment,
                    offset: request.offset,
                    totalByteCount: bytes.count,
                    payload: Array(bytes[request.offset...].prefix(request.creditByteCount))
                )
                let frames = try letterhead.frames(.parameterFragment(fragment), epoch: 0)
                try await averaging.send(frames, to: peer)
            }
        }
    }

    func trainerOptions(_ run: SmallRun) throws -> WorkerOptions {
        WorkerOptions(
            role: .trainer,
            name: "trainer",
            coordinatorEndpoint: controlEndpoint,
            coordinatorKey: nil,
            keys: try .generate(),
            modelPath: run.configuration.modelPath,
            runFolder: run.folder.path,
            isInsecure: true
        )
    }

    /// Waits for the next hello and answers it.
    func greet() async throws -> Message.Hello {
        while let received = await messages.next(isolation: #isolation) {
            guard case .hello(let hello) = try MessageCodec.decode(frames: received.frames).message,
                let peer = received.peer
            else { continue }
            trainer = peer
            let welcome = Message.Welcome(
                node: NodeID(1),
                token: SessionToken(1),
                configuration: configuration,
                pingInterval: .seconds(1),
                deadInterval: .seconds(60),
                averagingEndpoint: averagingEndpoint,
                checkpointEndpoint: averagingEndpoint,
                announcementEndpoint: averagingEndpoint,
                serverPublicKey: nil,
                latestRound: .initial,
                manifestHash: nil,
                trainerPublicKeys: [],
                parameterHash: committed.hash
            )
            try await send(.welcome(welcome))
            return hello
        }
        throw Gone()
    }

    func finish() async throws { try await send(.finish) }

    func close() async {
        serving.cancel()
        await context.terminate()
    }

    private func send(_ message: Message) async throws {
        sequence += 1
        let frames = try letterhead.frames(message, epoch: 1 << 32, sequence: sequence)
        try await control.send(frames, to: trainer)
    }
}
