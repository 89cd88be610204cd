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
}
