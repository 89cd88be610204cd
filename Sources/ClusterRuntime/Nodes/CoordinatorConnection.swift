import ClusterMessages
import Foundation
import Synchronization
import ZeroMQ

/// A worker's connection to its coordinator: says hello until it is welcome, pings, and says hello again whenever
/// the session is lost.
///
/// What is posted goes out in order, numbered; outside a session it is dropped, because the worker says everything
/// that matters again after its welcome.
final class CoordinatorConnection: Sendable {
    /// How often the session looks at the clock.
    private static let tickInterval = Duration.milliseconds(100)

    /// What the coordinator says, until ``run()`` ends; one task reads it.
    let events: AsyncStream<ConnectionEvent>
    private let heard: AsyncStream<ConnectionEvent>.Continuation
    private let inputs: AsyncStream<ConnectionInput>
    private let input: AsyncStream<ConnectionInput>.Continuation
    private let inventory = Mutex(NodeInventory())
    private let options: WorkerOptions
    private let network: NodeNetwork
    private let meter: WorkMeter

    init(_ options: WorkerOptions, network: NodeNetwork, meter: WorkMeter) {
        self.options = options
        self.network = network
        self.meter = meter
        (events, heard) = AsyncStream.makeStream(of: ConnectionEvent.self)
        (inputs, input) = AsyncStream.makeStream(of: ConnectionInput.self)
    }

    /// Changes what the next hello tells.
    func update(_ change: (inout NodeInventory) -> Void) { inventory.withLock { change(&$0) } }

    /// Sends messages in order, if there is a session.
    func post(_ messages: Message...) { input.yield(.post(messages)) }

    /// Sends messages in order, if there is a session, with nothing between them.
    func post(_ messages: [Message]) { input.yield(.post(messages)) }

    /// Says hello again with the present inventory.
    func renew() { input.yield(.renew) }

    /// Keeps the session until the task is cancelled, which says goodbye; throws when there is no use in going on.
    func run() async throws(NodeError) {
        let ticks = Task { [input] in
            while !Task.isCancelled {
                input.yield(.tick)
                do { try await Task.sleep(for: Self.tickInterval) } catch { return }
            }
        }
        defer {
            ticks.cancel()
            heard.finish()
        }
        var line = ControlLine(options, network: network, input: input)
        var session = CoordinatorSession(
            endpoint: options.coordinatorEndpoint,
            patience: options.patience,
            now: .now
        )
        try await line.open()
        let manager = ServiceManager.present
        var signs = SignsOfLife(to: manager)
        manager?.tell("READY=1", "STATUS=looks for the coordinator at \(options.coordinatorEndpoint)")
        defer { manager?.tell("STOPPING=1") }
        for await next in inputs {
            let actions: [CoordinatorSession.Action]
            switch next {
            case .post(let messages):
                if session.isMember { for message in messages { await line.send(message) } }
                actions = []
            case .renew:
                session.renew(now: .now)
                actions = []
            case .received(let number, let received):
                guard number == line.number, let (header, message) = decode(received) else { continue }
                actions = session.received(message, header, now: .now)
            case .tick:
                signs.give()
                actions = session.ticked(now: .now, jitter: .random(in: 0...1))
            }
            network.signature.session = session.session
            for action in actions { try await carryOut(action, on: &line) }
        }
        await line.close(saying: farewell())
    }

    private func carryOut(_ action: CoordinatorSession.Action, on line: inout ControlLine)
        async throws(NodeError)
    {
        switch action {
        case .reconnect: try await line.open()
        case .sayHello:
            let hello = inventory.withLock { $0.hello(role: options.role, name: options.name) }
            await line.send(.hello(hello))
        case .ping: await line.send(.ping(meter.ping()))
        case .deliver(let event):
            if let standing = event.standing { ServiceManager.present?.tell("STATUS=\(standing)") }
            heard.yield(event)
        case .fail(let error):
            await line.close(saying: farewell())
            throw error
        }
    }

    private func farewell() -> Message {
        let leases = inventory.withLock { $0.leases }
        return .goodbye(.init(reason: "\(options.name) ends", returningLeases: leases))
    }

    private func decode(_ received: ReceivedMessage) -> (MessageHeader, Message)? {
        do {
            return try MessageCodec.decode(frames: received.frames)
        } catch {
            return nil  // of a later program, or damaged: nothing this node could act on
        }
    }
}

extension ConnectionEvent {
    /// What the service manager is told; nil for what changes nothing about the connection.
    fileprivate var standing: String? {
        switch self {
        case .welcomed(let session): "node \(session.welcome.node) of run \(session.runID)"
        case .lost(let reason): "looks for the coordinator: \(reason)"
        case .turnedAway(let reason): "is not let in: \(reason)"
        case .message: nil
        }
    }
}

extension ServiceManager {
    /// Who started this process, if it asked to be told.
    static let present = ServiceManager(environment: ProcessInfo.processInfo.environment)
}
