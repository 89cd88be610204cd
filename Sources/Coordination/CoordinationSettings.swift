package import ClusterMessages

/// The numbers the coordinator decides by, each with what it costs to change it.
///
/// All are read from the run's configuration; a value that cannot work is a programmer's mistake here,
/// because the configuration refuses it with a text for the person first.
package struct CoordinationSettings: Sendable, Equatable {
    // MARK: Membership

    /// How often a node pings; shorter finds failures sooner and costs one small message each time.
    package var pingInterval: Duration = .seconds(1)
    /// Silence after which a node is named suspect: nothing is taken from it, people are told.
    package var suspectAfter: Duration = .seconds(3)
    /// Silence after which a node is dead and its work goes to others; too short redoes work at every hiccup.
    package var deadAfter: Duration = .seconds(10)
    /// Nodes known at once; one more is refused, so that no peer can fill the memory.
    package var maximumNodes = 2048
    /// How long a restarted coordinator lets nodes report what they hold before it hands out any work, unless all are
    /// back: then one more ping interval is enough.
    package var reconciliation: Duration = .seconds(5)
    /// The teacher every rollout must carry; nil accepts any, which only a test should do.
    package var teacher: ContentHash?

    // MARK: Batches

    /// Batches leased, or produced and not yet assigned, above which no more are leased: rollouts stop when
    /// trainers lag.
    package var leadBatches = 8
    /// The shortest term of a lease, and the term of a node's first one.
    package var leaseFloor: Duration = .seconds(30)
    /// A lease's term is this many times the node's 95th percentile of seconds a batch.
    package var leaseFactor = 3
    /// Whether an idle rollout makes a batch that another is late with, when trainers wait for it.
    package var hedging = true
    /// Share of the batches that another node makes again, to compare the results; 0 compares none.
    ///
    /// It costs that share of the rollouts' work.
    package var auditShare = 0.02
    /// Failed tries after which a batch is dead and the run goes on without it.
    package var attempts = 5
    /// Times a trainer may train on one batch in a round; above 1, trainers run ahead of few rollouts at the
    /// price of freshness.
    package var usesPerBatch = 1
    /// The most a rollout may have leased (batches) and hold for trainers (bytes), whatever it asks for.
    package var rolloutLimit = CreditWindow(batches: 64, byteCount: 1 << 40)
    /// The most a trainer may prefetch, whatever it asks for.
    package var trainerLimit = CreditWindow(batches: 2, byteCount: 1 << 36)

    /// Which trainer trains on which batch.
    package enum Assignment: String, Sendable, CaseIterable {
        /// A batch goes to the first trainer with room for it: nobody waits for a batch of its own.
        case ready
        /// Each batch is one member's by its number, and each member uses its batches in order of number.
        ///
        /// So what a trainer trains on does not depend on who is quicker or on what is lost and repeated, and a
        /// run with faults makes what the run without them makes. A trainer waits for a batch that is late, the
        /// round for members that are away (a grace long), and nothing is fetched beyond the open round.
        case ordered
    }

    /// Which trainer trains on which batch.
    package var assignment = Assignment.ready

    // MARK: Rounds

    /// Batches a member draws from in one round, at most; nil when nobody knows.
    ///
    /// Known, no batch is made that no remaining round can use.
    package var batchesPerRound: Int?
    /// Rounds after which the run is finished.
    package var rounds: UInt64 = 100
    /// Steps a member takes between two averages (H); more saves wire, and lets the members drift apart.
    package var localSteps = 10
    /// Ready trainers the very first round waits for, so that those started together begin together.
    package var trainersAtStart = 1
    /// Share of the members at a round's opening whose offers a commit needs; always at least one.
    package var quorum = 0.5
    /// How long a round waits for its other members: for their offers once the quorum's are complete, for
    /// their return when too few are left, and for the last round's members to load their parameters before
    /// it opens.
    package var grace: Duration = .seconds(60)
    /// How long a commit that failed in the store (a full disk) waits before it is tried again.
    package var storeRetry: Duration = .seconds(5)
    /// How long a trainer may hold unused batches and show no progress before its steps of the round are void.
    ///
    /// Its process answers pings even when its training thread hangs. Must exceed the longest step.
    package var trainerStall: Duration = .seconds(600)
    /// An offer that is this many times as far from the round's base as the median offer is left out; 0 leaves
    /// none out.
    ///
    /// A trainer whose optimizer has just begun goes a few times farther than the others.
    package var outlierFactor = 10.0
    /// How offers come together.
    package enum Topology: String, Sendable, CaseIterable {
        /// At the coordinator, which gets every offer and gives everybody the result.
        case star
        /// Among the trainers, each of which averages a share for all; the coordinator gets the result alone.
        case ring
    }

    /// How offers come together.
    ///
    /// A ring takes the load of many or large offers off the coordinator's link, and needs every member to reach every
    /// other. A round whose ring does not work is averaged as in a star.
    package var topology = Topology.star
    /// Refused offers in a row (not finite, corrupt, out of line) after which a trainer's process is turned away.
    package var offerStrikes = 3

    /// The defaults above.
    package init() {}

    /// Traps on numbers that cannot work together.
    func check() {
        precondition(
            .zero < pingInterval && pingInterval < suspectAfter && suspectAfter < deadAfter,
            "0 < ping \(pingInterval) < suspect \(suspectAfter) < dead \(deadAfter) must hold"
        )
        precondition(
            leaseFloor > .zero && leaseFactor >= 1,
            "a lease needs a term: \(leaseFloor) x \(leaseFactor)"
        )
        precondition(
            maximumNodes >= 1 && leadBatches >= 1,
            "nodes \(maximumNodes), lead \(leadBatches) must be positive"
        )
        precondition(
            attempts >= 1 && usesPerBatch >= 1,
            "attempts \(attempts), uses \(usesPerBatch) must be positive"
        )
        precondition(batchesPerRound ?? 1 >= 1, "a round uses a batch, not \(batchesPerRound ?? 0)")
        precondition(
            assignment == .ready || batchesPerRound != nil,
            "an order needs to know how many batches a member uses in a round"
        )
        precondition((0...1).contains(auditShare), "a share of the batches is not \(auditShare)")
        precondition((0...1).contains(quorum), "the quorum is a share of the members, not \(quorum)")
        precondition(outlierFactor >= 0, "a distance is not \(outlierFactor) times another")
        precondition(trainersAtStart >= 1 && offerStrikes >= 1, "a round needs a trainer and an offer")
        precondition(trainerStall > .zero, "no trainer makes progress within \(trainerStall)")
        precondition(
            reconciliation >= .zero && grace >= .zero && storeRetry >= .zero,
            "waiting \(reconciliation), \(grace), \(storeRetry) cannot be negative"
        )
    }

    /// Members whose offers a commit needs when `memberCount` were there at the opening.
    func required(of memberCount: Int) -> Int {
        max(1, Int((quorum * Double(memberCount)).rounded(.up)))
    }
}
