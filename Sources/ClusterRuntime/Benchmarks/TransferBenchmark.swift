import ClusterMessages
import Foundation
import Tensors
import ZeroMQ

/// How fast a trainer fetches trajectories from a rollout, against what libzmq alone carries over CURVE.
///
/// Both ends are the real ones, each with a context of its own, on loopback: the server that a rollout answers with, the
/// fetch of a trainer with all of its checks. The two take turns, so that what else the machine does hits both.
package struct TransferBenchmark: Sendable {
    /// What is asked for.
    package struct Settings: Sendable {
        /// Bytes of one batch's trajectories; 20 MiB are those of eight pictures of 1024² of Stable Diffusion 3.
        package var batchByteCount = 20 << 20
        /// Batches of a turn.
        package var batches = 10
        /// Turns of each.
        package var turns = 7

        package init() {}
    }

    private let settings: Settings

    package init(_ settings: Settings) { self.settings = settings }

    /// Measures; a first turn of each is not counted.
    package func run() async throws -> TransferReport {
        let ends = try await TransferEnds(batchByteCount: settings.batchByteCount)
        let pieceByteCount = min(ChunkTransfer.pieceByteCount, settings.batchByteCount)
        let raw = try RawPush(messageByteCount: pieceByteCount)
        // As many bytes, to the last whole message.
        let messages = settings.batches * settings.batchByteCount / pieceByteCount
        let fetchedByteCount = Double(settings.batches * settings.batchByteCount)
        let pushedByteCount = Double(messages * pieceByteCount)
        var (fetched, pushed): ([Double], [Double]) = ([], [])
        var (fetchSeconds, pushSeconds) = (0.0, 0.0)
        do {
            for turn in 0...settings.turns {
                let beforeFetch = processorSeconds()
                let fetch = try await ends.fetch(settings.batches).inSeconds
                let beforePush = processorSeconds()
                let push = try await raw.push(messages).inSeconds
                guard turn > 0 else { continue }
                fetchSeconds += beforePush - beforeFetch
                pushSeconds += processorSeconds() - beforePush
                fetched.append(fetchedByteCount / fetch / 1e6)
                pushed.append(pushedByteCount / push / 1e6)
            }
        } catch {
            await ends.close()
            await raw.close()
            throw error
        }
        await ends.close()
        await raw.close()
        let turns = Double(settings.turns)
        return TransferReport(
            batchByteCount: settings.batchByteCount,
            pieceByteCount: pieceByteCount,
            batchesPerTurn: settings.batches,
            fetched: fetched,
            pushed: pushed,
            processorSeconds: fetchSeconds * 1e9 / (turns * fetchedByteCount),
            rawProcessorSeconds: pushSeconds * 1e9 / (turns * pushedByteCount)
        )
    }
}

/// What a rollout's end and a trainer's made of the wire.
package struct TransferReport: Sendable, Codable, Equatable {
    package let batchByteCount: Int
    /// Bytes of a message at most.
    package let pieceByteCount: Int
    package let batchesPerTurn: Int
    /// 10⁶ bytes a second of each turn, in order.
    package let fetched: [Double]
    package let pushed: [Double]
    /// The medians.
    package let megabytesPerSecond: Double
    package let rawMegabytesPerSecond: Double
    /// Of what libzmq alone carries; the median of turns that followed each other.
    package let shareOfRaw: Double
    /// Processor seconds of both ends for 10⁹ bytes, in which other programs on the machine show less than in the rates;
    /// the kernel counts them in hundredths of a second, too coarse for a short run.
    package let processorSecondsPerGigabyte: Double
    package let rawProcessorSecondsPerGigabyte: Double
    /// The most memory of both ends together.
    package let peakMemoryBytes: Int

    init(
        batchByteCount: Int,
        pieceByteCount: Int,
        batchesPerTurn: Int,
        fetched: [Double],
        pushed: [Double],
        processorSeconds: Double,
        rawProcessorSeconds: Double
    ) {
        self.batchByteCount = batchByteCount
        self.pieceByteCount = pieceByteCount
        self.batchesPerTurn = batchesPerTurn
        self.fetched = fetched
        self.pushed = pushed
        megabytesPerSecond = median(fetched)
        rawMegabytesPerSecond = median(pushed)
        shareOfRaw = median(zip(fetched, pushed).map { $0 / $1 })
        processorSecondsPerGigabyte = processorSeconds
        rawProcessorSecondsPerGigabyte = rawProcessorSeconds
        peakMemoryBytes = peakMemoryByteCount()
    }

    /// Lines for people.
    package var text: String {
        """
        trajectories of \(batchByteCount >> 10) KiB in pieces of \(pieceByteCount >> 10) KiB, \
        \(batchesPerTurn) a turn, medians of \(fetched.count) turns
        rollout to trainer   \(decimal(megabytesPerSecond)) MB/s
        raw libzmq, CURVE    \(decimal(rawMegabytesPerSecond)) MB/s
        share                \(decimal(100 * shareOfRaw)) %
        processor time       \(decimal(processorSecondsPerGigabyte)) s/GB, \
        raw \(decimal(rawProcessorSecondsPerGigabyte)) s/GB
        peak memory of both  \(peakMemoryBytes >> 20) MiB
        """
    }
}

/// What this process has used so far, its own and the kernel's for it.
private func processorSeconds() -> Double { ProcessUsage(of: getpid()).processorSeconds }

/// A rollout's serving end and a trainer's fetching end in this process, encrypted.
private struct TransferEnds: Sendable {
    private let context: Context
    private let network: NodeNetwork
    private let links: [MessageLink]
    private let serving: Task<Void, Never>
    private let hash: ContentHash
    private let byteCount: Int

    init(batchByteCount: Int) async throws {
        let (serverKeys, clientKeys) = (try CurveKeyPair.generate(), try CurveKeyPair.generate())
        context = try Context()
        let authenticator = try Authenticator(
            in: context,
            allowed: ["trajectories": [clientKeys.publicKey]]
        )
        let channel = try Channel(
            .router,
            in: context,
            on: SocketThread(name: "rollout-io"),
            security: .curveServer(serverKeys, domain: "trajectories"),
            settings: .server(peerRate: .transfer)
        )
        let endpoint = try await channel.bind(to: "tcp://127.0.0.1:*")
        var random = SystemRandomNumberGenerator()
        var bytes: [UInt8] = []
        bytes.reserveCapacity(batchByteCount + 8)
        while bytes.count < batchByteCount {
            let number = random.next()
            for shift in stride(from: 0, to: 64, by: 8) {
                bytes.append(UInt8(truncatingIfNeeded: number >> shift))
            }
        }
        bytes.removeLast(bytes.count - batchByteCount)
        hash = HashList.hash(of: bytes)
        byteCount = batchByteCount
        let shelf = TrajectoryShelf()
        shelf.put(
            TrajectoryShelf.Item(
                batch: BatchID(0),
                fence: Fence(epoch: 1, attempt: 0),
                trajectories: SolvedTrajectories(hash: hash, bytes: bytes, evaluationCount: 1),
                elapsed: .seconds(1)
            )
        )
        let server = PeerServer(
            channel: channel,
            endpoint: endpoint,
            domain: "trajectories",
            authenticator: authenticator,
            shelf: shelf,
            checkpoints: CheckpointShelf(),
            signature: NodeSignature(),
            meter: WorkMeter(),
            crashPoint: .rolloutServingChunk
        )
        serving = Task { await server.run() }
        network = try NodeNetwork(name: "trainer", keys: clientKeys, isInsecure: false)
        var links: [MessageLink] = []
        for _ in 0..<FetchLine.connectionCount {
            let serverKey = serverKeys.publicKey.text
            links.append(try await network.link(to: endpoint, serverKey: serverKey, peer: "the rollout"))
        }
        self.links = links
    }

    /// Fetches the batch so many times, in the order in which a trainer does.
    func fetch(_ count: Int) async throws -> Duration {
        let start = ContinuousClock.now
        var line = FetchLine()
        let fetches = (0..<count).map { _ in
            line.add { [links, hash, byteCount] connection, whenAsked in
                let fetch = ChunkFetch(link: links[connection], plane: .trajectories)
                let pieces = try await fetch.pieces(of: hash, byteCount: byteCount, whenAsked: whenAsked)
                precondition(pieces.byteCount == byteCount, "a fetch returns all bytes or throws")
            }
        }
        for fetch in fetches { try await fetch.value }
        return start.duration(to: .now)
    }

    func close() async {
        serving.cancel()
        for link in links { await link.close() }
        await network.context.terminate()
        await context.terminate()
    }
}
