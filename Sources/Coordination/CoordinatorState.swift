package import ClusterMessages

/// Everything the coordinator knows and decides, as one value.
///
/// `handle` takes an event and the time and returns what to do; it reads no clock, sends nothing, writes
/// nothing. The runtime feeds it events one at a time and carries its directives out in order.
package struct CoordinatorState: Sendable {
    /// The numbers it decides by.
    package let settings: CoordinationSettings
    /// Who is in the cluster.
    package internal(set) var membership: Membership
    /// Where every batch is.
    package internal(set) var ledger: BatchLedger
    /// What the nodes let be outstanding.
    package internal(set) var credits = Credits()
    /// The round that is open or about to be.
    package internal(set) var round: AveragingRound
    /// The last committed parameters.
    package internal(set) var parameters: ParameterVersion
    /// Whether every round is committed, or the run was drained.
    package internal(set) var isFinished: Bool
    /// Whether it finishes with the open round.
    package internal(set) var isDraining = false
    /// Since when a person has paused it, if so.
    package internal(set) var pausedAt: Instant?
    /// What each trainer has loaded.
    var loaded: [NodeID: ParameterVersion] = [:]
    /// Trainers that an opening waited for in vain, until they are in a round.
    var slow: [NodeID: Respite] = [:]
    /// Holders that a trainer could not reach, and until when it gets nothing from them.
    var blocked: [Route: Instant] = [:]
    /// Rollouts that may have room for a lease; those that have none are taken out when somebody looks.
    var vacant: Set<NodeID> = []
    /// The rollout that got the last lease.
    var lastLeased: NodeID?
    /// When a restarted coordinator has heard enough to hand out work.
    var opensAt: Instant

    /// The number of the last ring.
    var lastRing: UInt64

    /// The way of a trajectory from its holder to a trainer.
    struct Route: Hashable {
        let trainer: NodeID
        let holder: NodeID
    }

    /// Openings that do not wait for a trainer which others waited for in vain.
    struct Respite {
        /// The most there are: a trainer that is always late costs the others one grace in so many rounds.
        private static let limit = 16

        /// How many are left.
        private(set) var left = 0
        private var length = 0

        /// A round opened without the trainer.
        mutating func opened() { left = max(0, left - 1) }

        /// An opening waited for it in vain.
        mutating func begin() {
            length = max(1, min(2 * length, Self.limit))
            left = length
        }
    }

    /// Batches beyond the durable cursor that a restarted coordinator believes a node to hold.
    static let adoptionLimit: UInt64 = 4096

    /// Starts, or goes on with, the run that `snapshot` describes.
    package init(restoring snapshot: RunSnapshot, settings: CoordinationSettings, now: Instant) {
        settings.check()
        self.settings = settings
        membership = Membership(
            remembering: snapshot.nodes,
            generation: snapshot.generation,
            settings: settings,
            now: now
        )
        ledger = BatchLedger(restoring: snapshot, settings: settings)
        parameters = snapshot.parameters
        isFinished = snapshot.parameters.round.rawValue >= settings.rounds
        lastRing = UInt64(snapshot.generation) << 32
        opensAt = snapshot.isRestart ? now + settings.reconciliation : now
        round = AveragingRound(
            snapshot.parameters.round.next,
            awaiting: settings.assignment == .ordered ? snapshot.contributors : [],
            settings: settings,
            now: opensAt
        )
    }

    /// Decides what an event changes.
    package mutating func handle(_ event: CoordinatorEvent, now: Instant) -> [Directive] {
        let directives = react(to: event, now: now)
        return event.isRoutine ? directives : directives + advance(now: now)
    }

    private mutating func react(to event: CoordinatorEvent, now: Instant) -> [Directive] {
        switch event {
        case .arrived(let arrival): arrived(arrival, now: now)
        case .received(let message, let sender): received(message, from: sender, now: now)
        case .offer(let event, let node): offered(event, by: node, now: now)
        case .stored(let version): stored(version, now: now)
        case .storeFailed(let number, let reason): storeFailed(number, reason, now: now)
        case .sharesLost(let number, let reason): sharesLost(number, reason)
        case .violated(let node, let incarnation, let text): violated(node, incarnation, text)
        case .command(let command): obey(command, now: now)
        case .tick: ticked(now: now)
        }
    }

    /// Does what has become possible: decisions about the round, then assignments, then leases.
    private mutating func advance(now: Instant) -> [Directive] {
        guard !isFinished, pausedAt == nil, now >= opensAt else { return [] }
        var directives = advanceRound(now: now)
        guard !isFinished else { return directives }
        directives += assignTrajectories(now: now)
        directives += grantAudits(now: now)
        directives += grantLeases(now: now)
        directives += hedgeLeases(now: now)
        return directives
    }

    // MARK: Time and people

    private mutating func ticked(now: Instant) -> [Directive] {
        var directives: [Directive] = []
        for change in membership.tick(now: now) {
            switch change {
            case .stalled(let gap):
                ledger.postpone(by: gap)
                round.postpone(by: gap)
                if opensAt > now { opensAt += gap }
                directives.append(.record(Occurrence(.stalled, "the coordinator stood still for \(gap)")))
            case .suspected(let node):
                directives.append(.record(Occurrence(.suspected, node: node)))
            case .died(let node):
                directives.append(.record(Occurrence(.died, node: node, "silent for \(settings.deadAfter)")))
                directives += abandon(node, fault: "node \(node) died")
            }
        }
        blocked = blocked.filter { $0.value > now }
        return directives + ledger.expireLeases(now: now)
    }

    private mutating func obey(_ command: OperatorCommand, now: Instant) -> [Directive] {
        switch command {
        case .pause:
            guard pausedAt == nil else { return [] }
            pausedAt = now
            return [.record(Occurrence(.paused))]
        case .resume:
            guard let since = pausedAt else { return [] }
            pausedAt = nil
            round.postpone(by: since.duration(to: now))
            membership.forgive(now: now)
            return [.record(Occurrence(.resumed))]
        case .drain:
            isDraining = true
            return obey(.resume, now: now) + [.record(Occurrence(.draining, round: round.number))]
        case .drainNode(let node):
            guard membership[node]?.isPresent ?? false else { return [] }
            membership.drain(node)
            return [.drain(node), .record(Occurrence(.draining, node: node))]
        case .checkpoint:
            guard round.cut() else { return [] }
            let members = round.members.filter { membership[$0]?.isPresent ?? false }
            return [.record(Occurrence(.roundCut, round: round.number)), .cut(round.number, to: members)]
        }
    }

    /// Why a person's command would change nothing, although the person wants something; nil when it is in order.
    package func objection(to command: OperatorCommand) -> (code: ErrorCode, text: String)? {
        switch command {
        case .drainNode(let node) where !(membership[node]?.isPresent ?? false):
            (
                .notFound,
                membership[node].map { "node \(node) is \($0.standing.rawValue)" }
                    ?? "there is no node \(node)"
            )
        case .checkpoint where pausedAt != nil:
            (.paused, "the run is paused and commits nothing until it is resumed")
        default: nil
        }
    }
}
