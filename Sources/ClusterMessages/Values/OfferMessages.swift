extension Message {
    /// One run of numbers in an offer.
    package struct ParameterSegment: Sendable, Hashable {
        /// `student` or `discriminator`, or what belongs to their optimizers.
        package let name: String
        /// How many numbers.
        package let elementCount: Int
        /// How they are written: 32-bit floats are the numbers themselves, all others differences to the base.
        package let encoding: NumberEncoding

        /// A message of these fields.
        package init(name: String, elementCount: Int, encoding: NumberEncoding) {
            self.name = name
            self.elementCount = elementCount
            self.encoding = encoding
        }

        /// Bytes of the whole segment.
        package var byteCount: Int { encoding.byteCount(of: elementCount) }
    }

    /// Says that a trainer's parameters are ready to be sent.
    package struct Offer: Sendable, Hashable {
        /// The open round.
        package let round: RoundNumber
        /// The round whose parameters the local steps began from.
        package let baseRound: RoundNumber
        /// Samples used in the local steps.
        package let sampleCount: Int
        /// The hash of the hashes of each segment's bytes, in order.
        package let hash: ContentHash
        /// What will be sent, in order.
        package let segments: [ParameterSegment]
        /// Mean loss terms of the local steps.
        package let losses: [Measurement]

        /// A message of these fields.
        package init(
            round: RoundNumber,
            baseRound: RoundNumber,
            sampleCount: Int,
            hash: ContentHash,
            segments: [ParameterSegment],
            losses: [Measurement]
        ) {
            self.round = round
            self.baseRound = baseRound
            self.sampleCount = sampleCount
            self.hash = hash
            self.segments = segments
            self.losses = losses
        }
    }

    /// Bytes of an offer's segment.
    package struct OfferFragment: Sendable, Hashable {
        /// The offer's round.
        package let round: RoundNumber
        /// The segment.
        package let segment: String
        /// The position of the payload's first byte.
        package let offset: Int
        /// The bytes, at most 1 MiB.
        package let payload: [UInt8]

        /// A message of these fields.
        package init(round: RoundNumber, segment: String, offset: Int, payload: [UInt8]) {
            self.round = round
            self.segment = segment
            self.offset = offset
            self.payload = payload
        }
    }

    /// Says what of an offer has arrived and how much more may be sent.
    package struct OfferAccepted: Sendable, Hashable {
        /// The offer's round.
        package let round: RoundNumber
        /// The segment wanted next.
        package let segment: String
        /// The byte of it wanted next.
        package let nextOffset: Int
        /// How many bytes may be sent from there on.
        package let creditByteCount: Int
        /// All segments are here and have the offer's hash.
        package let isComplete: Bool

        /// A message of these fields.
        package init(
            round: RoundNumber,
            segment: String,
            nextOffset: Int,
            creditByteCount: Int,
            isComplete: Bool
        ) {
            self.round = round
            self.segment = segment
            self.nextOffset = nextOffset
            self.creditByteCount = creditByteCount
            self.isComplete = isComplete
        }
    }
}
