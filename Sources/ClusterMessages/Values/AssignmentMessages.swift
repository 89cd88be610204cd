extension Message {
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
        /// The batch that the trainer begins before this one; nil where it need not wait for any.
        package let after: BatchID?

        /// A message of these fields.
        package init(
            batch: BatchID,
            hash: ContentHash,
            byteCount: Int,
            sampleCount: Int,
            holder: NodeID,
            holderEndpoint: String,
            holderPublicKey: String?,
            after: BatchID? = nil
        ) {
            self.batch = batch
            self.hash = hash
            self.byteCount = byteCount
            self.sampleCount = sampleCount
            self.holder = holder
            self.holderEndpoint = holderEndpoint
            self.holderPublicKey = holderPublicKey
            self.after = after
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
