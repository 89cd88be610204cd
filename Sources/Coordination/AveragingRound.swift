package import ClusterMessages

/// One round: who is in it, whose offers are complete, and when that is enough.
///
/// A round waits until trainers have the last round's parameters, opens with those that do, and closes when
/// every member has offered, or the quorum has and the grace is over. Whoever comes later joins the next
/// round. Losing members does not lose the round: it goes on with the others, and opens again when they are
/// fewer than the quorum for too long.
package struct AveragingRound: Sendable {
    /// How far it is.
    package enum Phase: Sendable, Equatable {
        /// No members yet.
        case waiting
        /// The members train and offer.
        case open
        /// Members whose offers are here average them among themselves; the others may still offer.
        case ringing(AveragingRing)
        /// The plan is being averaged and written; nothing about it can change.
        case closing(RoundPlan)
    }

    /// One trainer's offer.
    package struct Offer: Sendable, Equatable {
        /// The samples it claims to have trained on.
        package let samples: Int
        /// The hash of its bytes.
        package let hash: ContentHash
        /// How far each of its segments is from the base (L2); empty until all of it has arrived.
        package internal(set) var distances: [Double] = []
        /// How much of it has arrived, 0 to 1.
        package internal(set) var received = 0.0
        /// When all of it had.
        package internal(set) var completedAt: Instant?
        /// Whether its bytes are with its trainer only, for a ring.
        package internal(set) var isHeld = false
        /// Whether they went with the trainer while its round was being stored.
        package internal(set) var isOrphan = false
    }

    /// What a decision looks at beside the round itself.
    struct View {
        /// Present trainers.
        var present: Set<NodeID>
        /// Those that may enter a round: they have its base parameters and are not leaving.
        var ready: [NodeID]
        /// Those that have work and show no progress, for too long.
        var stuck: Set<NodeID>
        /// Those that show no progress for too long, whether they have work or not.
        var idle: Set<NodeID> = []
        /// The ledger's count of each trainer's samples in this round.
        var samples: [NodeID: Int]
        /// Members, or those of the last round, that are away and worth waiting for.
        var expected: Set<NodeID> = []
    }

    /// What to do now.
    enum Decision: Equatable {
        case open([NodeID])
        /// The outliers are members whose complete offers are left out.
        case close([NodeID], outliers: [Outlier] = [])
        /// These average among themselves.
        case gather([NodeID])
        /// They have: what their ring made is to be stored.
        case commit(RoundPlan)
        /// They do not, for this reason: the coordinator is to have the offers itself.
        case collect(String)
        /// With a strike, the trainer itself is to blame.
        case void(NodeID, String, isStrike: Bool = false)
    }

    /// The round's number.
    package let number: RoundNumber
    /// How far it is.
    package private(set) var phase = Phase.waiting
    /// The members at the last opening and those that came back with work, in order of number.
    package private(set) var members: [NodeID] = []
    /// The offers announced, complete or not.
    package private(set) var offers: [NodeID: Offer] = [:]
    /// When the round closes without its late members; set by the first quorum of complete offers.
    package private(set) var closesAt: Instant?
    /// When the round opens again because too few members are left.
    package private(set) var reopensAt: Instant?
    /// Before this, a round that could not be stored is not closed again; and why it could not.
    package private(set) var retry: (at: Instant, reason: String)?
    /// Whether its members offer after the step in hand instead of after all of their steps.
    package private(set) var isCut = false
    /// Whether its offers stay with their trainers, to be averaged in a ring.
    package private(set) var usesRing: Bool
    /// Trainers that the opening waits for a while: the last round's, or this one's when all of them were lost.
    private(set) var awaited: [NodeID]
    /// How long it does.
    private(set) var awaitedUntil: Instant
    let settings: CoordinationSettings

    /// A round that waits for its members.
    init(_ number: RoundNumber, awaiting awaited: [NodeID], settings: CoordinationSettings, now: Instant) {
        self.number = number
        self.awaited = awaited
        self.settings = settings
        usesRing = settings.topology == .ring
        awaitedUntil = now + settings.grace
    }

    /// Offers a commit needs.
    package var required: Int { settings.required(of: members.count) }

    /// Whether a trainer's offer is complete and claims what the ledger counted.
    func isCounted(_ node: NodeID, samples: [NodeID: Int]) -> Bool {
        guard let offer = offers[node], offer.completedAt != nil else { return false }
        return offer.samples == samples[node, default: 0]
    }

    // MARK: Decisions

    /// The next thing to do, if anything; to be asked again until there is none.
    mutating func decide(_ view: View, now: Instant) -> Decision? {
        switch phase {
        case .waiting: opening(view, now: now)
        case .open: closing(view, now: now)
        case .ringing(let ring): ringing(ring, view)
        case .closing: nil
        }
    }

    private mutating func opening(_ view: View, now: Instant) -> Decision? {
        let counted = offers.keys.filter { isCounted($0, samples: view.samples) }
        guard !view.ready.isEmpty || !counted.isEmpty else { return nil }
        if number == RoundNumber.initial.next, view.ready.count < settings.trainersAtStart { return nil }
        let late = awaited.contains {
            view.expected.contains($0) || view.present.contains($0) && !view.ready.contains($0)
        }
        guard !late || now >= awaitedUntil else { return nil }
        return open(with: view.ready + counted)
    }

    private mutating func closing(_ view: View, now: Instant) -> Decision? {
        let counted = members.filter { isCounted($0, samples: view.samples) }
        let pending = members.filter { view.present.contains($0) && !counted.contains($0) }
        let missing = members.filter { view.expected.contains($0) && !counted.contains($0) }
        for node in pending {
            if let offer = offers[node], let completedAt = offer.completedAt,
                completedAt + settings.grace <= now
            {
                let counted = view.samples[node, default: 0]
                return .void(node, "its offer claims \(offer.samples) samples, the ledger counts \(counted)")
            }
            if view.stuck.contains(node) { return .void(node, "it has work and made no progress") }
        }
        if counted.count >= required {
            reopensAt = nil
            let due = closesAt ?? now + settings.grace
            closesAt = due
            guard pending.isEmpty && missing.isEmpty || now >= due, now >= retry?.at ?? now else {
                return nil
            }
            let outliers = outliers(among: counted)
            let included = counted.filter { node in !outliers.contains { $0.node == node } }
            if included.count >= required {
                guard included.contains(where: { offers[$0]?.isHeld ?? false }) else {
                    return .close(included, outliers: outliers)
                }
                return AveragingRing.sizes.contains(included.count)
                    ? .gather(included) : leaveRing("\(included.count) offers make no ring")
            }
            return outliers.first.map { .void($0.node, $0.reason, isStrike: true) }
        }
        closesAt = nil
        guard counted.count + pending.count < required else {
            reopensAt = nil
            return nil
        }
        if counted.isEmpty, pending.isEmpty {
            phase = .waiting
            if !missing.isEmpty { (awaited, awaitedUntil) = (members, now + settings.grace) }
            return opening(view, now: now)
        }
        let due = reopensAt ?? now + settings.grace
        reopensAt = due
        return now >= due ? open(with: view.ready + counted + pending) : nil
    }

    private mutating func open(with nodes: [NodeID]) -> Decision {
        phase = .open
        members = Set(nodes).sorted()
        reopensAt = nil
        return .open(members)
    }

    // MARK: What happens to it

    /// Makes a trainer that comes back with work of this round a member again.
    mutating func admit(_ node: NodeID) {
        guard phase == .open, !members.contains(node) else { return }
        members.append(node)
        members.sort()
    }

    /// Ends it early; false when it is not open, or was cut before.
    mutating func cut() -> Bool {
        guard phase == .open, !isCut else { return false }
        isCut = true
        return true
    }

    /// Whether a trainer may upload an offer, or why not.
    mutating func announce(
        _ offered: RoundNumber,
        base: RoundNumber,
        samples: Int,
        _ hash: ContentHash,
        by node: NodeID
    ) -> (ErrorCode, String)? {
        guard offered == number, base.next == number else {
            return (.badBase, "an offer for round \(offered) on round \(base), but round \(number) is next")
        }
        guard takesOffers else { return (.expired, "round \(number) is not open") }
        guard members.contains(node) else {
            return (.expired, "trainer \(node) is no member of round \(number)")
        }
        guard samples > 0 else { return (.badBase, "an offer of \(samples) samples") }
        if let known = offers[node], known.samples == samples, known.hash == hash { return nil }
        guard offers[node]?.completedAt == nil else {
            return (.badBase, "trainer \(node) made another offer before")
        }
        offers[node] = Offer(samples: samples, hash: hash)
        offers[node]?.isHeld = usesRing
        return nil
    }

    /// Notes how much of an offer has arrived.
    mutating func received(_ fraction: Double, from node: NodeID) { offers[node]?.received = fraction }

    /// Notes that all of an offer has arrived, and how far its segments are from the base.
    mutating func complete(_ node: NodeID, distances: [Double] = [], now: Instant) {
        guard offers[node]?.completedAt == nil else { return }
        offers[node]?.received = 1
        offers[node]?.distances = distances
        offers[node]?.completedAt = now
    }

    /// Drops an offer; a plan that includes it is void, and the round open again.
    mutating func forget(_ node: NodeID) {
        offers[node] = nil
        if case .closing(let plan) = phase, plan.contributions.contains(where: { $0.node == node }) {
            phase = .open
        }
    }

    /// Whether offers may be announced.
    private var takesOffers: Bool {
        switch phase {
        case .open, .ringing: true
        case .waiting, .closing: false
        }
    }

    // MARK: Rings

    /// Lets the members of a plan average among themselves.
    mutating func begin(_ ring: AveragingRing) { phase = .ringing(ring) }

    /// A member of the present ring has made its share.
    mutating func share(_ share: RingShare, of number: UInt64, by node: NodeID) {
        guard case .ringing(var ring) = phase, ring.number == number, ring.members.contains(node) else {
            return
        }
        ring.shares[node] = share
        phase = .ringing(ring)
    }

    /// A member of the present ring cannot make its share.
    mutating func fail(_ reason: String, of number: UInt64, by node: NodeID) {
        guard case .ringing(var ring) = phase, ring.number == number, ring.members.contains(node) else {
            return
        }
        ring.failure = "trainer \(node): \(reason)"
        phase = .ringing(ring)
    }

    /// Notes how far an offer is from the base.
    mutating func measure(_ node: NodeID, distances: [Double]) { offers[node]?.distances = distances }

    /// Has what is left of the round averaged by the coordinator, to which the offers are to be sent.
    mutating func leaveRing(_ reason: String) -> Decision {
        phase = .open
        usesRing = false
        for (node, offer) in offers where offer.isHeld {
            offers[node] = Offer(samples: offer.samples, hash: offer.hash)
        }
        return .collect(reason)
    }

    /// Whether the offer of a trainer that is gone is still of use; noted, where its bytes went with the trainer.
    mutating func outlives(_ node: NodeID) -> Bool {
        guard let offer = offers[node], offer.isHeld else { return true }
        guard case .closing(let plan) = phase, plan.contributions.contains(where: { $0.node == node }) else {
            return false
        }
        // The shares of its mean may be here already.
        offers[node]?.isOrphan = true
        return true
    }

    /// Fixes the plan.
    mutating func close(_ plan: RoundPlan) { phase = .closing(plan) }

    /// Opens a round whose plan could not be stored, to close it again a little later.
    mutating func failed(_ reason: String, now: Instant) {
        phase = .open
        retry = (now + settings.storeRetry, reason)
    }

    /// Moves all deadlines: time in which the coordinator stood still or was paused does not count.
    mutating func postpone(by pause: Duration) {
        awaitedUntil += pause
        if let moment = closesAt { closesAt = moment + pause }
        if let moment = reopensAt { reopensAt = moment + pause }
        for (node, offer) in offers {
            if let moment = offer.completedAt { offers[node]?.completedAt = moment + pause }
        }
    }
}
