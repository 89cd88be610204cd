import ClusterMessages

/// Fetches assigned batches ahead of their use: from every holder in the order of their assignment, from different
/// holders at the same time.
actor TrajectoryPrefetch {
    /// Who serves a batch, and where.
    private struct Holder: Hashable {
        let node: NodeID
        let endpoint: String
        let publicKey: String?
    }

    /// One of those to a holder.
    private struct Connection: Hashable {
        let holder: Holder
        let number: Int
    }

    private let network: NodeNetwork
    private let coordinator: CoordinatorConnection
    private let meter: WorkMeter
    private var queue = PrefetchQueue()
    private var links: [Connection: MessageLink] = [:]
    /// Holders that did not answer the last fetch; the next one gives them less time.
    private var silent: Set<Holder> = []
    private var lines: [Holder: FetchLine] = [:]
    /// Says that something has changed.
    private let changes = Inbox<Void>(limit: 1)

    init(network: NodeNetwork, connection: CoordinatorConnection, meter: WorkMeter) {
        self.network = network
        coordinator = connection
        self.meter = meter
    }

    /// Begins to fetch a batch, unless it is here or on its way.
    func add(_ assignment: Message.Assign) {
        guard queue.add(assignment) else { return changed() }
        let holder = Holder(
            node: assignment.holder,
            endpoint: assignment.holderEndpoint,
            publicKey: assignment.holderPublicKey
        )
        _ = lines[holder, default: FetchLine()].add { number, whenAsked in
            await self.fetch(assignment, on: Connection(holder: holder, number: number), whenAsked)
        }
    }

    /// The next batch in order of assignment; waits for it a moment, and returns nil when it is not here then.
    ///
    /// - Parameter purpose: what it is for, in words for people.
    func next(for purpose: String) async throws -> (assignment: Message.Assign, pieces: [[UInt8]])? {
        if let batch = queue.takeFirst() {
            meter.holds(byteCount: queue.byteCount)
            return batch
        }
        meter.turn(to: .waiting, "\(purpose): \(queue.reason)")
        _ = try await changes.next(within: .seconds(1))
        return nil
    }

    /// A new session began, maybe after the round's commit.
    func doubt(isRoundOver: Bool) { queue.doubt(isRoundOver: isRoundOver) }

    /// The session's first assignments are all here.
    func settle() {
        queue.settle()
        changed()
    }

    /// The round is over.
    func endRound() { queue.endRound() }

    /// Everything was taken back.
    func removeAll() {
        queue.removeAll()
        changed()
    }

    private func changed() {
        meter.holds(byteCount: queue.byteCount)
        changes.deliver(())
    }

    private func fetch(
        _ assignment: Message.Assign,
        on connection: Connection,
        _ whenAsked: @Sendable () -> Void
    ) async {
        let holder = connection.holder
        let start = ContinuousClock.now
        do {
            let link = try await link(connection)
            var fetch = ChunkFetch(link: link, plane: .trajectories)
            // Who is silent for so long is dead to the coordinator, too.
            let dead = network.signature.session?.welcome.deadInterval ?? fetch.patience
            fetch.patience = silent.contains(holder) ? fetch.repetition : min(fetch.patience, dead)
            let pieces = try await fetch.pieces(
                of: assignment.hash,
                byteCount: assignment.byteCount,
                whenAsked: whenAsked
            )
            queue.arrived(assignment, pieces)
            silent.remove(holder)
            meter.progressed()
        } catch {
            await links.removeValue(forKey: connection)?.close()
            guard queue.failed(assignment) else { return }
            let failure = error as? NodeError
            if case .silent? = failure { silent.insert(holder) }
            coordinator.post(
                .fetchFailed(
                    .init(
                        batch: assignment.batch,
                        hash: assignment.hash,
                        holder: assignment.holder,
                        code: failure?.code ?? .internal,
                        text: "\(error)"
                    )
                )
            )
        }
        meter.add(start.duration(to: .now), to: .exchanging)
        changed()
    }

    private func link(_ connection: Connection) async throws -> MessageLink {
        if let link = links[connection] { return link }
        let holder = connection.holder
        let link = try await network.link(
            to: holder.endpoint,
            serverKey: holder.publicKey,
            peer: "rollout \(holder.node)"
        )
        links[connection] = link
        return link
    }
}
