package import ClusterMessages

/// What the coordinator reacts to: everything from outside, with the clock beside it.
package enum CoordinatorEvent: Sendable, Equatable {
    /// A process said hello.
    case arrived(Arrival)
    /// A node sent a message on the control plane.
    case received(NodeMessage, from: Sender)
    /// Something happened to a trainer's offer on the averaging plane.
    case offer(OfferEvent, from: NodeID)
    /// A closed round's files and rows are on the disk.
    case stored(ParameterVersion)
    /// A closed round could not be averaged or written; it is tried again.
    case storeFailed(RoundNumber, String)
    /// The shares of a closed round's mean could not be had: the coordinator averages it.
    case sharesLost(RoundNumber, String)
    /// A node broke the protocol: it is shut out until it says hello again.
    case violated(NodeID, Incarnation, String)
    /// A person wants something.
    case command(OperatorCommand)
    /// Time passed; to be sent several times a dead interval.
    case tick

    /// Whether it makes nothing possible that was not before, as most messages do not.
    var isRoutine: Bool {
        switch self {
        case .received(.ping, _), .received(.other, _), .offer(.progressed, _): true
        default: false
        }
    }
}

/// A person's command.
package enum OperatorCommand: Sendable, Equatable {
    /// Hand out no more work and open no round until `resume`.
    case pause
    /// Go on.
    case resume
    /// Commit the open round, then finish.
    case drain
    /// Let a node finish its work and leave.
    case drainNode(NodeID)
    /// Commit what is trained so far: the open round ends with the steps its members have in hand.
    case checkpoint
}

/// Who sent a control message, as its session and header say.
package struct Sender: Sendable, Equatable {
    /// The session's node.
    package let node: NodeID
    /// The process.
    package let incarnation: Incarnation
    /// The message's number in the sender's session, one more than the last.
    package let sequence: UInt64

    /// The sender of one message.
    package init(_ node: NodeID, _ incarnation: Incarnation, sequence: UInt64) {
        self.node = node
        self.incarnation = incarnation
        self.sequence = sequence
    }
}

/// Parameters that a round committed: what a trainer has loaded, or should.
package struct ParameterVersion: Sendable, Equatable {
    /// The round; 0 for the initial parameters.
    package let round: RoundNumber
    /// The hash of the parameters.
    package let hash: ContentHash

    /// The parameters of a round.
    package init(round: RoundNumber, hash: ContentHash) {
        self.round = round
        self.hash = hash
    }
}

/// A hello: who comes, and what it still holds from before.
package struct Arrival: Sendable, Equatable {
    /// A lease the process believes to hold.
    package struct HeldLease: Sendable, Equatable {
        /// The batch it is producing.
        package let batch: BatchID
        /// The lease's fence.
        package let fence: Fence

        /// A held lease.
        package init(batch: BatchID, fence: Fence) {
            self.batch = batch
            self.fence = fence
        }
    }

    /// A trajectory the process can serve.
    package struct HeldTrajectory: Sendable, Equatable {
        /// Its batch.
        package let batch: BatchID
        /// The hash of its bytes.
        package let hash: ContentHash
        /// How many bytes.
        package let byteCount: Int

        /// A held trajectory.
        package init(batch: BatchID, hash: ContentHash, byteCount: Int) {
            self.batch = batch
            self.hash = hash
            self.byteCount = byteCount
        }
    }

    /// What the node proves to be: public key and role, which two processes may not share.
    package var identity: String
    /// What people call it.
    package var name: String
    /// Rollout or trainer.
    package var role: Role
    /// The process.
    package var incarnation: Incarnation
    /// The hello's number; the process's next message has the next one.
    package var sequence: UInt64
    /// The hash of a rollout's teacher.
    package var teacher: ContentHash?
    /// The kind of processor and kernels it computes with: equal ones make equal bytes.
    package var machine = ""
    /// The parameters a trainer has loaded.
    package var parameters: ParameterVersion?
    /// Leases a rollout is working on.
    package var leases: [HeldLease] = []
    /// Trajectories a rollout can serve.
    package var trajectories: [HeldTrajectory] = []

    /// A process that holds nothing yet.
    package init(identity: String, name: String, role: Role, incarnation: Incarnation, sequence: UInt64) {
        self.identity = identity
        self.name = name
        self.role = role
        self.incarnation = incarnation
        self.sequence = sequence
    }
}

/// What a member says on the control plane, as far as decisions depend on it.
package enum NodeMessage: Sendable, Equatable {
    /// It is alive; `progress` counts its finished pieces of work: solver or training steps, chunks moved.
    case ping(progress: UInt64)
    /// Anything that needs no decision, a step report for example.
    case other
    /// It opens its credit window anew.
    case credit(CreditWindow)
    /// A rollout finished a batch.
    case produced(BatchID, Fence, ContentHash, byteCount: Int)
    /// A rollout gives a batch up; a failure that is not retryable would be one anywhere.
    case leaseFailed(BatchID, Fence, ErrorCode, retryable: Bool, String)
    /// A trainer used a batch.
    case consumed(Consumption)
    /// A trainer could not get an assigned trajectory from its holder.
    case fetchFailed(BatchID, ContentHash, holder: NodeID, ErrorCode)
    /// A trainer has loaded a round's parameters.
    case loaded(ParameterVersion)
    /// A trainer has made its share of the ring of this number.
    case shared(RingShare, ring: UInt64)
    /// A trainer cannot make it.
    case ringFailed(UInt64, String)
    /// It leaves of its own will; leases it returns unfinished do not count as failed.
    case goodbye(String)

    /// The role that may say it; nil for any.
    var role: Role? {
        switch self {
        case .ping, .other, .credit, .goodbye: nil
        case .produced, .leaseFailed: .rollout
        case .consumed, .fetchFailed, .loaded, .shared, .ringFailed: .trainer
        }
    }
}

/// What happens to an offer on the averaging plane.
package enum OfferEvent: Sendable, Equatable {
    /// A trainer wants to upload its parameters after `samples` samples on top of round `base`.
    ///
    /// The session tells an offer of steps thrown away since from one of the steps that count.
    case started(SessionToken, RoundNumber, base: RoundNumber, samples: Int, ContentHash)
    /// So many bytes of the offer of this hash have arrived.
    case progressed(ContentHash, received: Int, of: Int)
    /// All of it has arrived and has the hash it should; each segment is so far from the base (L2).
    case complete(ContentHash, distances: [Double] = [])
    /// It was found unusable, while arriving or while averaging.
    case rejected(ContentHash, ErrorCode, String)
}
