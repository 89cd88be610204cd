import ClusterMessages
import Synchronization
import Tensors
import ZeroMQ

/// What the workers of a swarm have seen.
struct SwarmTally: Sendable {
    var welcomes = 0
    var leases = 0
    var rounds = 0
    var committedBatches = 0
    var refusals = 0
    /// Seconds from room for a lease to the lease.
    var latencies: [Double] = []
}

/// Many workers in this process that share a libzmq context and a few socket threads, and compute nothing.
final class Swarm: Sendable {
    /// Workers a socket thread serves: it looks at all of its sockets whenever it wakes.
    private static let workersPerThread = 8

    private let context: Context
    private let workers: [SimulatedWorker]
    private let counts = Mutex(SwarmTally())
    private let batchTime = Mutex(Duration.zero)

    /// - Parameters:
    ///   - trainers: how many of the keys, the first ones, are trainers'.
    ///   - state: the parameters of round 0, which every trainer offers in every round.
    init(
        keys: [CurveKeyPair],
        trainers: Int,
        address: CoordinatorAddress,
        teacher: ContentHash,
        state: ParameterBytes,
        averaging: AveragingSettings,
        batchesPerRound: Int,
        batchSamples: Int
    ) throws {
        context = try Context(maximumSocketCount: 2 * keys.count + 64)
        let facts = SwarmFacts(
            endpoint: address.control,
            serverKey: try address.publicKey.map { try CurvePublicKey($0) },
            teacher: teacher,
            state: state,
            averaging: averaging,
            batchesPerRound: batchesPerRound,
            batchSamples: batchSamples
        )
        var threads: [SocketThread] = []
        var workers: [SimulatedWorker] = []
        for (index, keys) in keys.enumerated() {
            if index % Self.workersPerThread == 0 {
                threads.append(SocketThread(name: "swarm-\(threads.count)"))
            }
            workers.append(
                SimulatedWorker(
                    index < trainers ? .trainer : .rollout,
                    name: "w\(index)",
                    keys: keys,
                    context: context,
                    thread: threads[threads.count - 1],
                    facts: facts
                )
            )
        }
        self.workers = workers
    }

    /// All workers connect and say hello.
    func join() async throws {
        for worker in workers { try await worker.start(in: self) }
    }

    func close() async {
        for worker in workers { await worker.stop() }
        await context.terminate()
    }

    /// What happened since the last reset.
    var tally: SwarmTally { counts.withLock { $0 } }

    func resetTally() { counts.withLock { $0 = SwarmTally() } }

    func count(_ change: (inout SwarmTally) -> Void) { counts.withLock { change(&$0) } }

    /// What a rollout takes for a batch.
    var timeForBatch: Duration { batchTime.withLock { $0 } }

    /// Lets rollouts take this long for a batch from now on.
    func take(_ time: Duration) { batchTime.withLock { $0 = time } }
}

/// What all workers of a swarm know.
struct SwarmFacts: Sendable {
    let endpoint: String
    let serverKey: CurvePublicKey?
    let teacher: ContentHash
    let state: ParameterBytes
    let averaging: AveragingSettings
    let batchesPerRound: Int
    let batchSamples: Int

    /// What every rollout says it made of a batch.
    func trajectoryHash(of batch: BatchID) -> ContentHash { ContentHash(of: Array("\(batch)".utf8)) }

    /// What a trainer offers in a round: the parameters of round 0 as they are.
    func offer(in round: RoundNumber, base: RoundNumber, samples: Int) -> (
        message: Message.Offer, bytes: [String: [UInt8]]
    ) {
        let segments = averaging.segments(averagedIn: round).compactMap { state[$0.rawValue] }
        let message = Message.Offer(
            round: round,
            baseRound: base,
            sampleCount: samples,
            hash: ContentHash(ofAll: segments.map(\.hash)),
            segments: segments.map {
                .init(name: $0.name, elementCount: $0.values.count, encoding: .float32)
            },
            losses: []
        )
        let bytes = segments.map { ($0.name, $0.bytes(0..<$0.values.count)) }
        return (message, Dictionary(bytes) { first, _ in first })
    }
}
