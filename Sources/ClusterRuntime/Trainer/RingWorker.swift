import ClusterMessages
import Crypto
import Tensors
import ZeroMQ

/// A trainer's part in rings: it serves its offer, makes its share of the mean out of everybody's, and serves that.
actor RingWorker {
    /// The ring at hand: its number and, once it is made, what was said of the share.
    private struct Present {
        let number: UInt64
        var outcome: Message?
    }

    private let network: NodeNetwork
    private let connection: CoordinatorConnection
    private let meter: WorkMeter
    private let compute: ComputeThread
    let shelf = RingShelf()
    private var server: PeerServer?
    private var present: Present?
    private var work: Task<Void, Never>?

    init(network: NodeNetwork, connection: CoordinatorConnection, meter: WorkMeter, compute: ComputeThread) {
        self.network = network
        self.connection = connection
        self.meter = meter
        self.compute = compute
    }

    /// Serves from now on, until the network ends; the next hello says where.
    func serve(_ options: WorkerOptions) async throws {
        guard server == nil else { return }
        let server = try await PeerServer.open(
            options,
            on: network,
            domain: "ring",
            shelf: shelf,
            meter: meter,
            passing: .trainerServingRing
        )
        self.server = server
        connection.update { inventory in
            inventory.servingEndpoint = server.endpoint
            inventory.servingPublicKey = options.isInsecure ? nil : options.keys.publicKey.text
        }
        Task { await server.run() }
    }

    /// Lets in trainers of these keys and the coordinator, and nobody else.
    func allow(_ keys: [String], coordinator: CurvePublicKey?) async {
        await server?.allow(
            Set(keys.compactMap { try? CurvePublicKey($0) } + [coordinator].compactMap(\.self))
        )
    }

    /// Makes the share that a ring wants of this trainer, unless it is made or being made; tells the coordinator what
    /// came of it.
    ///
    /// - Parameter base: the committed numbers of segments of parameters.
    func begin(_ open: Message.RingOpen, base: [StateSegment: Tensor]) {
        if let present, present.number == open.ring {
            if let outcome = present.outcome { connection.post(outcome) }
            return
        }
        let previous = work
        previous?.cancel()
        present = Present(number: open.ring)
        work = Task {
            await previous?.value
            do {
                let (share, squares) = try await make(open, base: base)
                shelf.share = share
                let message = Message.RingShare(
                    ring: open.ring,
                    hash: share.hash,
                    byteCount: share.byteCount,
                    squaredDistances: squares
                )
                conclude(open.ring, .ringShare(message))
            } catch is CancellationError {
                return
            } catch {
                let code = (error as? NodeError)?.code ?? .internal
                let failure = Message.RingFailed(ring: open.ring, code: code, text: "\(error)")
                conclude(open.ring, .ringFailed(failure))
            }
        }
    }

    /// Gives up the ring at hand and the offer; the last share is served on.
    func end() async {
        work?.cancel()
        await work?.value
        work = nil
        present = nil
        shelf.offer = nil
    }

    /// A ring's mean, of which this trainer has made a share if it was a member.
    func gather(_ means: [Message.RingMean], of segments: [Message.ParameterSegment]) async throws -> [Tensor]
    {
        let gathering = RingGathering(
            network: network,
            partition: RingPartition(segments: segments, memberCount: means.count),
            patience: patience,
            meter: meter
        )
        guard let share = shelf.share, means.indices.contains(share.member),
            means[share.member].hash == share.hash
        else { return try await gathering.gather(means) }
        return try await gathering.gather(means, own: (share.member, share.bytes))
    }

    private func conclude(_ ring: UInt64, _ message: Message) {
        guard present?.number == ring else { return }
        present?.outcome = message
        connection.post(message)
    }

    /// Who is silent for so long is dead to the coordinator, too.
    private var patience: Duration { network.signature.session?.welcome.deadInterval ?? .seconds(10) }

    // MARK: The share

    private func make(
        _ open: Message.RingOpen,
        base: [StateSegment: Tensor]
    ) async throws -> (RingShelf.Share, squares: [Double]) {
        let node = network.signature.session?.welcome.node
        guard let offer = shelf.offer,
            let own = open.members.firstIndex(where: { $0.node == node && $0.offer == offer.hash })
        else { throw NodeError.missing("the offer of round \(open.round)", expected: "this process made it") }
        let average = RingAverage(
            partition: RingPartition(segments: offer.layout, memberCount: open.members.count),
            samples: open.members.map(\.sampleCount),
            base: base
        )
        let sources = try await sources(open, own: own)
        let result: Result<(RingShelf.Share, [Double]), any Error>
        do {
            result = .success(try await make(average, own: own, offer: offer, from: sources))
        } catch {
            result = .failure(error)
        }
        for source in sources.values { await source.link.close() }
        return try result.get()
    }

    /// An offer that another member serves.
    private struct Source: Sendable {
        let link: MessageLink
        let hash: ContentHash
    }

    private func sources(_ open: Message.RingOpen, own: Int) async throws -> [Int: Source] {
        var sources: [Int: Source] = [:]
        for (index, member) in open.members.enumerated() where index != own {
            let link = try await network.link(
                to: member.endpoint,
                serverKey: member.publicKey,
                peer: "trainer \(member.node)"
            )
            sources[index] = Source(link: link, hash: member.offer)
        }
        return sources
    }

    private func make(
        _ average: RingAverage,
        own: Int,
        offer: LocalOffer,
        from sources: [Int: Source]
    ) async throws -> (RingShelf.Share, [Double]) {
        let (partition, measured) = (average.partition, average.measured)
        var squares = [Double](repeating: 0, count: partition.memberCount * measured.count)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(partition.meanByteCount(for: own))
        for piece in partition.pieces(for: own) {
            let offers = try await fetch(
                partition.bytes(of: piece),
                own: own,
                offer,
                of: partition,
                from: sources
            )
            let part = try await compute.run { try average.part(piece, of: offers) }
            bytes += part.bytes
            if let place = measured.firstIndex(of: piece.segment) {
                for (member, square) in (part.squares ?? []).enumerated() {
                    squares[member * measured.count + place] += square
                }
            }
            meter.progressed()
        }
        let made = bytes
        let hash = try await compute.run { HashList.hash(of: made) }
        return (RingShelf.Share(member: own, hash: hash, bytes: bytes), squares)
    }

    /// The same bytes of every offer, in order of the members; all others are asked at once.
    private func fetch(
        _ range: Range<Int>,
        own: Int,
        _ offer: LocalOffer,
        of partition: RingPartition,
        from sources: [Int: Source]
    ) async throws -> [[UInt8]] {
        let (patience, byteCount) = (patience, partition.offerByteCount)
        return try await withThrowingTaskGroup(of: (Int, [UInt8]).self) { group in
            for (member, source) in sources {
                group.addTask {
                    var fetch = ChunkFetch(link: source.link, plane: .ring)
                    fetch.patience = patience
                    return (member, try await fetch.bytes(range, of: source.hash, byteCount: byteCount))
                }
            }
            var offers = [[UInt8]](repeating: [], count: partition.memberCount)
            offers[own] = offer.bytes(in: range)
            for try await (member, bytes) in group { offers[member] = bytes }
            return offers
        }
    }
}

extension LocalOffer {
    /// Bytes as the parts lie one behind the other.
    fileprivate func bytes(in range: Range<Int>) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < range.count {
            bytes += piece(in: range.lowerBound + bytes.count..<range.upperBound)
        }
        return bytes
    }
}
