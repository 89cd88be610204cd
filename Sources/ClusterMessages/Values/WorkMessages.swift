extension Message {
    /// How much more a node will take: the whole window, not a change of it.
    package struct WorkCredit: Sendable, Hashable {
        /// Batches beyond those it has.
        package let batchCount: Int
        /// Bytes beyond those it has.
        package let byteCount: Int

        /// A message of these fields.
        package init(batchCount: Int, byteCount: Int) {
            self.batchCount = batchCount
            self.byteCount = byteCount
        }
    }

    /// Asks a rollout to produce the trajectories of a batch.
    package struct Lease: Sendable, Hashable {
        /// The batch.
        package let batch: BatchID
        /// Names this lease among all of the batch.
        package let fence: Fence
        /// Time left from the arrival of the message; whole milliseconds.
        package let deadline: Duration
        /// One for each sample, in order.
        package let prompts: [Prompt]
        /// The run's seed; noise is keyed by it, the prompt's id and the sample.
        package let seed: UInt64

        /// A message of these fields.
        package init(batch: BatchID, fence: Fence, deadline: Duration, prompts: [Prompt], seed: UInt64) {
            self.batch = batch
            self.fence = fence
            self.deadline = deadline
            self.prompts = prompts
            self.seed = seed
        }
    }

    /// One sample to produce.
    package struct Prompt: Sendable, Hashable {
        /// The prompt's position in the corpus.
        package let id: UInt64
        /// Which of the prompt's samples.
        package let sample: UInt32
        /// What to depict.
        package let text: String

        /// A message of these fields.
        package init(id: UInt64, sample: UInt32, text: String) {
            self.id = id
            self.sample = sample
            self.text = text
        }
    }

    /// Tells a rollout that a lease is over.
    package struct LeaseCancel: Sendable, Hashable {
        /// The batch.
        package let batch: BatchID
        /// The lease; a later one stands.
        package let fence: Fence

        /// A message of these fields.
        package init(batch: BatchID, fence: Fence) {
            self.batch = batch
            self.fence = fence
        }
    }

    /// Says that a batch is produced and can be fetched from the sender.
    package struct TrajectoryReady: Sendable, Hashable {
        /// The batch.
        package let batch: BatchID
        /// The lease under which it was produced.
        package let fence: Fence
        /// The hash of its bytes.
        package let hash: ContentHash
        /// How many bytes they are.
        package let byteCount: Int
        /// How often the teacher was evaluated for it.
        package let teacherEvaluationCount: Int
        /// How long it took; whole microseconds.
        package let elapsed: Duration

        /// A message of these fields.
        package init(
            batch: BatchID,
            fence: Fence,
            hash: ContentHash,
            byteCount: Int,
            teacherEvaluationCount: Int,
            elapsed: Duration
        ) {
            self.batch = batch
            self.fence = fence
            self.hash = hash
            self.byteCount = byteCount
            self.teacherEvaluationCount = teacherEvaluationCount
            self.elapsed = elapsed
        }
    }

    /// Says that a batch cannot be produced by the sender.
    package struct LeaseFailed: Sendable, Hashable {
        /// The batch.
        package let batch: BatchID
        /// The lease that ends.
        package let fence: Fence
        /// Why, for the program.
        package let code: ErrorCode
        /// Whether another attempt may succeed.
        package let isRetryable: Bool
        /// Why, for the person.
        package let text: String

        /// A message of these fields.
        package init(batch: BatchID, fence: Fence, code: ErrorCode, isRetryable: Bool, text: String) {
            self.batch = batch
            self.fence = fence
            self.code = code
            self.isRetryable = isRetryable
            self.text = text
        }
    }

    /// Asks a trainer to fetch a batch from its holder and train on it.
    package struct Assign: Sendable, Hashable {
        /// The batch.
        package let batch: BatchID
        /// The hash of its bytes.
        package let hash: ContentHash
        /// How many bytes they are.
        package let byteCount: Int
        /// Samples in the batch.
        package let sampleCount: Int
        /// The rollout that has it.
        package let holder: NodeID
        /// Where that rollout serves it.
        package let holderEndpoint: String
        /// The key it serves under; nil without encryption.
        package let holderPublicKey: String?

        /// A message of these fields.
        package init(
            batch: BatchID,
            hash: ContentHash,
            byteCount: Int,
            sampleCount: Int,
            holder: NodeID,
            holderEndpoint: String,
            holderPublicKey: String?
        ) {
            self.batch = batch
            self.hash = hash
            self.byteCount = byteCount
            self.sampleCount = sampleCount
            self.holder = holder
            self.holderEndpoint = holderEndpoint
            self.holderPublicKey = holderPublicKey
        }
    }

    /// Tells a rollout that nobody needs these bytes any more.
    package struct Release: Sendable, Hashable {
        /// The batch.
        package let batch: BatchID
        /// The hash of its bytes.
        package let hash: ContentHash

        /// A message of these fields.
        package init(batch: BatchID, hash: ContentHash) {
            self.batch = batch
            self.hash = hash
        }
    }

    /// Says that a batch went into a local step of the sender.
    package struct Consumed: Sendable, Hashable {
        /// The batch.
        package let batch: BatchID
        /// The bytes that were used.
        package let hash: ContentHash
        /// The open round.
        package let round: RoundNumber
        /// The step of the round, from 0.
        package let localStep: Int
        /// Samples the step used of it.
        package let sampleCount: Int
        /// How often the sender has used it, this time included.
        package let useCount: Int

        /// A message of these fields.
        package init(
            batch: BatchID,
            hash: ContentHash,
            round: RoundNumber,
            localStep: Int,
            sampleCount: Int,
            useCount: Int
        ) {
            self.batch = batch
            self.hash = hash
            self.round = round
            self.localStep = localStep
            self.sampleCount = sampleCount
            self.useCount = useCount
        }
    }

    /// Says that an assigned batch could not be had from its holder.
    package struct FetchFailed: Sendable, Hashable {
        /// The batch.
        package let batch: BatchID
        /// The bytes that were asked for.
        package let hash: ContentHash
        /// Who should have had them.
        package let holder: NodeID
        /// Why, for the program.
        package let code: ErrorCode
        /// Why, for the person.
        package let text: String

        /// A message of these fields.
        package init(batch: BatchID, hash: ContentHash, holder: NodeID, code: ErrorCode, text: String) {
            self.batch = batch
            self.hash = hash
            self.holder = holder
            self.code = code
            self.text = text
        }
    }

    /// What one local step of a trainer measured.
    package struct StepReport: Sendable, Hashable {
        /// The open round.
        package let round: RoundNumber
        /// The step of the round, from 0.
        package let localStep: Int
        /// Samples in the step.
        package let sampleCount: Int
        /// The loss's terms; they may be infinite or not numbers.
        package let losses: [Measurement]
        /// Norms before clipping, one for each set of parameters.
        package let gradientNorms: [Measurement]

        /// A message of these fields.
        package init(
            round: RoundNumber,
            localStep: Int,
            sampleCount: Int,
            losses: [Measurement],
            gradientNorms: [Measurement]
        ) {
            self.round = round
            self.localStep = localStep
            self.sampleCount = sampleCount
            self.losses = losses
            self.gradientNorms = gradientNorms
        }
    }
}
