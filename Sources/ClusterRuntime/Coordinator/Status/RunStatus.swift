package import ClusterMessages
import FoundationEssentials

/// How a run is doing: what `status.json` holds and an operator is answered.
package struct RunStatus: Codable, Sendable, Equatable {
    /// Figures of one node, those of its last ping.
    package struct Node: Codable, Sendable, Equatable {
        /// Its number.
        package var id: NodeID
        /// What people call it.
        package var name: String
        /// What it does.
        package var role: Role
        /// `alive`, `suspect`, `dead`, `left`, or `quarantined` while it is here.
        package var state: String
        /// What it does or waits for, in its own words.
        package var activity = ""
        /// Pieces of work done since its start.
        package var progress = 0
        /// Bytes of trajectories it holds.
        package var heldByteCount = 0
        /// Seconds since its start: computing, waiting, sending and receiving.
        package var seconds = Seconds()
        /// The most memory it ever had resident.
        package var peakMemoryByteCount = 0
        /// Samples it solved, or trained on for the first time in a round, in this coordinator's life.
        package var samples = 0
        /// The same in a second, lately.
        package var samplesPerSecond = 0.0
        /// What is outstanding with it.
        package var outstanding = Outstanding()
    }

    /// What is outstanding with a node, as the ledger counts it.
    package struct Outstanding: Codable, Sendable, Equatable {
        /// Batches leased to a rollout, or assigned to a trainer and not used up.
        package var batches = 0
        /// Bytes a rollout keeps or is to make, or a trainer may be fetching.
        package var byteCount = 0
    }

    /// Where a node's time went.
    package struct Seconds: Codable, Sendable, Equatable {
        /// In the numerics.
        package var compute = 0.0
        /// For work, or for others.
        package var wait = 0.0
        /// Sending and receiving.
        package var wire = 0.0
    }

    /// How many batches are where.
    package struct Batches: Codable, Sendable, Equatable {
        /// Issued and waiting for a lease.
        package var pending = 0
        /// Being produced.
        package var leased = 0
        /// Waiting for a trainer.
        package var produced = 0
        /// With a trainer, not used up.
        package var assigned = 0
        /// Used up, in the round that is open.
        package var consumed = 0
        /// In the committed parameters.
        package var committed = 0
        /// Given up.
        package var dead = 0
    }

    /// Trajectories made by the rollouts, in samples.
    package struct Trajectories: Codable, Sendable, Equatable {
        /// Since the run began, redone ones of this process's life included.
        package var total = 0
        /// Lately; 0 before the second batch.
        package var perSecond = 0.0
    }

    /// The run.
    package var runID: String
    /// Whether there is work.
    package var state: Message.RunState
    /// The last committed round.
    package var round: RoundNumber
    /// Whether trainers work on the round after it, or it is being stored.
    package var isRoundOpen: Bool
    /// Rounds after which the run is finished.
    package var rounds: UInt64
    /// The newest value of each loss term.
    package var losses: [String: Double]
    /// What the rollouts made.
    package var trajectories: Trajectories
    /// Where the batches are.
    package var batches: Batches
    /// Every node ever met, in order of number.
    package var nodes: [Node]
    /// A reason for everything that does not progress.
    package var waitingOn: [String]
    /// Estimated by the rounds committed so far; nil before the first of this process.
    package var secondsLeft: Double?
    /// What averaging took of the rounds that this process saw committed.
    package var averaging: AveragingTime
    /// Messages and connections that were turned away.
    package var refusals: Int
    /// What each of the coordinator's sockets let in and kept out.
    package var doors: [Door]
    /// How long things took and how often they happened, since this coordinator's process began.
    package var figures: RunFigures
    /// Where checkpoints are fetched.
    package var checkpointEndpoint: String
    /// The most memory the coordinator itself ever had resident.
    package var peakMemoryByteCount: Int
    /// Seconds since 1970, when this was written.
    package var time: Double
    /// Seconds since this coordinator's process began to serve.
    package var elapsed: Double

    /// The status as JSON.
    package func encoded() throws -> [UInt8] { Array(try StatusCoding.encoder.encode(self)) }

    /// Reads what ``encoded()`` wrote.
    package init(decoding bytes: [UInt8]) throws {
        self = try StatusCoding.decoder.decode(RunStatus.self, from: Data(bytes))
    }

    /// A status of a run that has not begun.
    init(runID: String, rounds: UInt64) {
        self.runID = runID
        state = .running
        round = .initial
        isRoundOpen = false
        self.rounds = rounds
        losses = [:]
        trajectories = Trajectories()
        batches = Batches()
        nodes = []
        waitingOn = []
        averaging = AveragingTime()
        refusals = 0
        doors = []
        figures = RunFigures()
        checkpointEndpoint = ""
        peakMemoryByteCount = 0
        time = 0
        elapsed = 0
    }
}
