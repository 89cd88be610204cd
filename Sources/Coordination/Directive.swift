package import ClusterMessages

/// What the coordinator decided; the runtime carries directives out in the order given.
///
/// Sending is enough: a message that is lost ends the session by its gap, and the next hello repairs it. Only
/// ``bury(_:)``, ``remember(_:)`` and ``close(_:)`` touch the disk.
package enum Directive: Sendable, Equatable {
    // MARK: Sessions

    /// Answer the hello of this process: it is the node of this number, in this session.
    case welcome(NodeID, Incarnation, SessionToken)
    /// Write the node down, so that it keeps its number when the coordinator restarts.
    case remember(KnownNode)
    /// Refuse a process's hello or message; with `staleEpoch` it should say hello again.
    case refuse(Incarnation, ErrorCode, String)
    /// Answer a ping.
    case pong(NodeID)
    /// Ask a node to finish its work and leave.
    case drain(NodeID)
    /// Tell everyone that the run is over.
    case finish

    // MARK: Batches

    /// Send a lease to its node.
    case grant(GrantedLease)
    /// Tell a node that it need not produce a batch any more.
    case cancelLease(BatchID, Fence, at: NodeID)
    /// Tell a trainer to fetch and use a trajectory.
    case assign(ProducedBatch, to: NodeID)
    /// Tell a rollout that it may drop its copy of a trajectory.
    case release(BatchID, ContentHash, at: NodeID)
    /// Write a dead letter down.
    case bury(DeadLetter)

    // MARK: Rounds

    /// Tell trainers to start, or to carry on with, a round.
    case open(RoundNumber, to: [NodeID])
    /// Tell trainers to offer after the step they have in hand.
    case cut(RoundNumber, to: [NodeID])
    /// Tell a trainer to upload its offer, or where to go on with it.
    case acceptOffer(RoundNumber, from: NodeID)
    /// Tell a trainer to keep its offer for a ring.
    case holdOffer(RoundNumber, from: NodeID)
    /// Tell members of a ring to make their shares.
    case ring(AveragingRing, to: [NodeID])
    /// Tell a trainer that its offer is not wanted.
    case refuseOffer(RoundNumber, from: NodeID, ErrorCode, String)
    /// Average the plan's offers, write the files, then the plan in one transaction, then report `stored`.
    case close(RoundPlan)
    /// Announce a committed round to every node.
    case announce(ParameterVersion, excluded: [NodeID])
    /// Tell one trainer to throw its steps of a round away and say hello again.
    case abort(RoundNumber, at: NodeID, reason: String)

    // MARK: People

    /// Write an event to the run's log.
    case record(Occurrence)
}

/// What a committed round consists of, written to the ledger in one transaction.
package struct RoundPlan: Sendable, Equatable {
    /// One member's part of the average.
    package struct Contribution: Sendable, Equatable {
        /// The trainer.
        package let node: NodeID
        /// Its weight: the samples the ledger counted, which its offer's claim had to match.
        package let samples: Int
        /// The hash of its offer.
        package let offer: ContentHash
    }

    /// The round.
    package let round: RoundNumber
    /// The included offers in order of node, which is the order of the sum.
    package let contributions: [Contribution]
    /// Members whose offers did not come in time or are out of line; their batches return to the pool.
    package let excluded: [NodeID]
    /// Those of them that offered in time.
    package internal(set) var outliers: [Outlier] = []
    /// What the included members trained on, in order of batch; these batches are committed with the round.
    package let uses: [BatchUse]
    /// Batches issued so far: the data cursor.
    package let issued: UInt64
    /// Where the members averaged among themselves: the shares of the mean, in order of the contributions; else none.
    package internal(set) var shares: [RingShare] = []
}

/// One line of the run's event log: what happened, to whom.
package struct Occurrence: Sendable, Equatable {
    /// What kind of thing happened.
    package enum Kind: String, Sendable, CaseIterable {
        case joined, returned, suspected, recovered, died, replaced, left, refused, violated, stalled
        case leaseExpired, leaseFailed, hedged, trajectoryLost, batchDied
        case lateResult, repeatedResult, diverged, audited, quarantined
        case roundOpened, roundCut, roundClosed, roundCommitted, roundFailed, ringBroken, offerRejected,
            excluded, voided
        case paused, resumed, draining, finished
    }

    /// What happened.
    package let kind: Kind
    /// The node it happened to, if any.
    package let node: NodeID?
    /// The batch it concerns, if any.
    package let batch: BatchID?
    /// The round it concerns, if any.
    package let round: RoundNumber?
    /// The rest of the story, for a person; may be empty.
    package let text: String

    /// An event of `kind`.
    package init(
        _ kind: Kind,
        node: NodeID? = nil,
        batch: BatchID? = nil,
        round: RoundNumber? = nil,
        _ text: String = ""
    ) {
        self.kind = kind
        self.node = node
        self.batch = batch
        self.round = round
        self.text = text
    }
}
