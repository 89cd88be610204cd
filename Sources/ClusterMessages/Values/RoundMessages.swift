extension Message {
    /// Asks a trainer for local steps from the committed parameters, then an offer.
    package struct RoundOpen: Sendable, Hashable {
        /// The round that opens; its base is the round before.
        package let round: RoundNumber
        /// How many local steps to take.
        package let localStepCount: Int

        /// A message of these fields.
        package init(round: RoundNumber, localStepCount: Int) {
            self.round = round
            self.localStepCount = localStepCount
        }
    }

    /// Says that a round is durable.
    package struct RoundCommitted: Sendable, Hashable {
        /// The committed round.
        package let round: RoundNumber
        /// The hash of the averaged parameters.
        package let parameterHash: ContentHash
        /// The manifest of the round's checkpoint.
        package let manifestHash: ContentHash
        /// Members whose offers are not in the mean, in order.
        package let excluded: [NodeID]
        /// Where the mean of what a ring averaged can be had, in order of the shares; none after any other round.
        package let means: [RingMean]

        /// A message of these fields.
        package init(
            round: RoundNumber,
            parameterHash: ContentHash,
            manifestHash: ContentHash,
            excluded: [NodeID],
            means: [RingMean] = []
        ) {
            self.round = round
            self.parameterHash = parameterHash
            self.manifestHash = manifestHash
            self.excluded = excluded
            self.means = means
        }
    }

    /// Ends a round early: the trainer offers after the step in hand.
    package struct RoundCut: Sendable, Hashable {
        /// The open round.
        package let round: RoundNumber

        /// A message of this round.
        package init(round: RoundNumber) {
            self.round = round
        }
    }

    /// Says that a round never happened.
    package struct RoundAborted: Sendable, Hashable {
        /// The aborted round.
        package let round: RoundNumber
        /// Why, for people.
        package let reason: String

        /// A message of these fields.
        package init(round: RoundNumber, reason: String) {
            self.round = round
            self.reason = reason
        }
    }

    /// Answers an offer, fragment or parameter request that cannot be served.
    package struct RoundError: Sendable, Hashable {
        /// The round it named.
        package let round: RoundNumber
        /// Why, for the program.
        package let code: ErrorCode
        /// Why, for the person.
        package let text: String

        /// A message of these fields.
        package init(round: RoundNumber, code: ErrorCode, text: String) {
            self.round = round
            self.code = code
            self.text = text
        }
    }
}
