package import Tensors

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

        /// A message of these fields.
        package init(
            round: RoundNumber,
            parameterHash: ContentHash,
            manifestHash: ContentHash,
            excluded: [NodeID]
        ) {
            self.round = round
            self.parameterHash = parameterHash
            self.manifestHash = manifestHash
            self.excluded = excluded
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

    /// One run of numbers in an offer.
    package struct ParameterSegment: Sendable, Hashable {
        /// `student` or `discriminator`.
        package let name: String
        /// How many numbers.
        package let elementCount: Int
        /// How each is stored.
        package let type: ScalarType

        /// A message of these fields.
        package init(name: String, elementCount: Int, type: ScalarType) {
            self.name = name
            self.elementCount = elementCount
            self.type = type
        }

        /// Bytes of the whole segment.
        package var byteCount: Int { elementCount * type.byteCount }
    }

    /// Says that a trainer's parameters are ready to be sent.
    package struct Offer: Sendable, Hashable {
        /// The open round.
        package let round: RoundNumber
        /// The round whose parameters the local steps began from.
        package let baseRound: RoundNumber
        /// Samples used in the local steps.
        package let sampleCount: Int
        /// The hash of the bytes of all segments, in order.
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

    /// Asks for bytes of a committed round's parameters.
    package struct ParameterRequest: Sendable, Hashable {
        /// The committed round.
        package let round: RoundNumber
        /// The segment.
        package let segment: String
        /// The first byte wanted.
        package let offset: Int
        /// How many bytes may be sent.
        package let creditByteCount: Int

        /// A message of these fields.
        package init(round: RoundNumber, segment: String, offset: Int, creditByteCount: Int) {
            self.round = round
            self.segment = segment
            self.offset = offset
            self.creditByteCount = creditByteCount
        }
    }

    /// Bytes of a committed round's parameters.
    package struct ParameterFragment: Sendable, Hashable {
        /// The committed round.
        package let round: RoundNumber
        /// The segment.
        package let segment: String
        /// The position of the payload's first byte.
        package let offset: Int
        /// Bytes of the whole segment.
        package let totalByteCount: Int
        /// The bytes, at most 1 MiB.
        package let payload: [UInt8]

        /// A message of these fields.
        package init(round: RoundNumber, segment: String, offset: Int, totalByteCount: Int, payload: [UInt8])
        {
            self.round = round
            self.segment = segment
            self.offset = offset
            self.totalByteCount = totalByteCount
            self.payload = payload
        }

        /// Whether these bytes are the segment's last.
        package var isLast: Bool { offset + payload.count == totalByteCount }
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
