import ClusterMessages
import Crypto
import Tensors

/// An offer that is arriving: one member's parameters, checked as their bytes come in, and spooled.
///
/// Bytes are granted a window at a time, each within a segment, so a member never has more than a window on
/// the way, and none of what has arrived stays in memory.
struct OfferBuffer: Sendable {
    /// What a fragment did.
    enum Effect: Equatable {
        /// It was not the one expected; it is ignored.
        case ignored
        case taken
        /// It ended the granted window.
        case windowEnded
        case completed
        case refused(ErrorCode, String)
    }

    /// Bytes granted at once, at most.
    static let windowByteCount = 4 << 20

    let offer: Message.Offer
    /// What the offered parameters began as.
    private let base: ParameterBytes
    private let spool: OfferSpool
    /// The squared distance of each segment from the base, as far as it has arrived.
    private var squares: [Double]
    /// The segment that is arriving; the number of segments when all are here.
    private var segment = 0
    /// Bytes of it that are here.
    private var position = 0
    /// The end of the granted window in it.
    private var granted = 0
    private var running = SHA256()
    private var hashes: [ContentHash] = []
    private(set) var receivedByteCount = 0
    private(set) var isComplete = false

    /// - Parameter offer: one of segments that the base has.
    init(_ offer: Message.Offer, base: ParameterBytes, spool: OfferSpool) {
        self.offer = offer
        self.base = base
        self.spool = spool
        squares = offer.segments.map { _ in 0 }
    }

    /// How far each segment of parameters is from the base (L2).
    var distances: [Double] {
        zip(offer.segments, squares).compactMap { segment, square in
            StateSegment(rawValue: segment.name)?.isOfParameters ?? false ? square.squareRoot() : nil
        }
    }

    var totalByteCount: Int { offer.segments.reduce(0) { $0 + $1.byteCount } }

    /// The parameters, once all are here and have the offer's hash.
    var parameters: SpooledOffer? { isComplete ? SpooledOffer(offer.segments, in: spool) : nil }

    /// Grants the next window, or the rest of it again, and says where to go on.
    mutating func grant() -> Message.OfferAccepted {
        guard segment < offer.segments.count else {
            return Message.OfferAccepted(
                round: offer.round,
                segment: offer.segments.last?.name ?? "",
                nextOffset: position,
                creditByteCount: 0,
                isComplete: isComplete
            )
        }
        let arriving = offer.segments[segment]
        let granule = arriving.encoding.granule
        granted = min(arriving.byteCount, position + Self.windowByteCount / granule * granule)
        return Message.OfferAccepted(
            round: offer.round,
            segment: arriving.name,
            nextOffset: position,
            creditByteCount: granted - position,
            isComplete: false
        )
    }

    /// Takes the next bytes.
    mutating func take(_ fragment: Message.OfferFragment) throws(CoordinatorError) -> Effect {
        guard segment < offer.segments.count, fragment.round == offer.round,
            fragment.segment == offer.segments[segment].name, fragment.offset == position
        else { return .ignored }
        let (encoding, end) = (offer.segments[segment].encoding, position + fragment.payload.count)
        guard end <= granted else {
            return .refused(.tooLarge, "a fragment goes beyond the \(granted) bytes granted")
        }
        guard end == offer.segments[segment].byteCount || end.isMultiple(of: encoding.granule),
            let count = encoding.count(in: fragment.payload.count), count > 0
        else {
            let text = "a fragment of \(fragment.payload.count) bytes does not end with a number"
            return .refused(.corrupt, text)
        }
        let first = position / encoding.granule * encoding.numbersPerGranule
        guard let whole = base[fragment.segment]?.values, first + count <= whole.count else {
            return .refused(.badBase, "the base's \(fragment.segment) has no byte \(end - 1)")
        }
        let start = whole.rows(first..<first + count)
        let values = Difference.values(fragment.payload, encoding, base: start)
        guard values.isFinite else {
            return .refused(.nonFinite, "\(fragment.segment) is not finite within bytes \(fragment.offset)…")
        }
        if StateSegment(rawValue: fragment.segment)?.isNeverNegative ?? false {
            let raised = values.copied()
            raised.raise(to: 0)
            guard raised.squaredDistance(to: values) == 0 else {
                return .refused(
                    .nonFinite,
                    "\(fragment.segment) is negative within bytes \(fragment.offset)…"
                )
            }
        }
        try spool.append(fragment.payload)
        squares[segment] += values.squaredDistance(to: start)
        running.update(data: fragment.payload)
        position = end
        receivedByteCount += fragment.payload.count
        guard position == granted else { return .taken }
        return position == offer.segments[segment].byteCount ? endSegment() : .windowEnded
    }

    private mutating func endSegment() -> Effect {
        hashes.append(ContentHash(running))
        running = SHA256()
        segment += 1
        guard segment == offer.segments.count else {
            position = 0
            return .windowEnded
        }
        guard ContentHash(ofAll: hashes) == offer.hash else {
            return .refused(.corrupt, "the bytes do not have the hash \(offer.hash.abbreviated)")
        }
        isComplete = true
        return .completed
    }
}
