import ClusterMessages
import Crypto
import Tensors

/// An offer that is arriving: one member's parameters, checked as their bytes come in.
///
/// Bytes are granted a window at a time, each within a segment, so a member never has more than a window on
/// the way and never more than one offer in memory.
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

    /// Bytes granted at once.
    static let windowByteCount = 4 << 20

    let offer: Message.Offer
    /// What the offered parameters began as.
    private let base: ParameterBytes
    private var bytes: [[UInt8]]
    /// The squared distance of each segment from the base, as far as it has arrived.
    private var squares: [Double]
    /// The segment that is arriving; the number of segments when all are here.
    private var segment = 0
    /// The end of the granted window in the arriving segment.
    private var granted = 0
    private var running = SHA256()
    private(set) var isComplete = false

    init(_ offer: Message.Offer, base: ParameterBytes) {
        self.offer = offer
        self.base = base
        bytes = offer.segments.map { _ in [] }
        squares = offer.segments.map { _ in 0 }
    }

    /// How far each segment is from the base (L2).
    var distances: [Double] { squares.map { $0.squareRoot() } }

    var receivedByteCount: Int { bytes.reduce(0) { $0 + $1.count } }
    var totalByteCount: Int { offer.segments.reduce(0) { $0 + $1.byteCount } }

    /// The parameters, once all are here and have the offer's hash.
    var parameters: ParameterBytes? {
        isComplete ? ParameterBytes(zip(offer.segments, bytes).map { ($0.name, $1) }, hash: offer.hash) : nil
    }

    /// Grants the next window, or the rest of it again, and says where to go on.
    mutating func grant() -> Message.OfferAccepted {
        guard segment < bytes.count else {
            return Message.OfferAccepted(
                round: offer.round,
                segment: offer.segments.last?.name ?? "",
                nextOffset: bytes.last?.count ?? 0,
                creditByteCount: 0,
                isComplete: isComplete
            )
        }
        let next = bytes[segment].count
        granted = min(offer.segments[segment].byteCount, next + Self.windowByteCount)
        return Message.OfferAccepted(
            round: offer.round,
            segment: offer.segments[segment].name,
            nextOffset: next,
            creditByteCount: granted - next,
            isComplete: false
        )
    }

    /// Takes the next bytes.
    mutating func take(_ fragment: Message.OfferFragment) -> Effect {
        guard segment < bytes.count, fragment.round == offer.round,
            fragment.segment == offer.segments[segment].name, fragment.offset == bytes[segment].count
        else { return .ignored }
        let count = fragment.payload.count
        guard count > 0, count.isMultiple(of: ScalarType.float32.byteCount) else {
            return .refused(.corrupt, "a fragment of \(count) bytes is not made of 32-bit floats")
        }
        guard fragment.offset + count <= granted else {
            return .refused(.tooLarge, "a fragment goes beyond the \(granted) bytes granted")
        }
        let shape = [count / ScalarType.float32.byteCount]
        let values = Tensor(decoding: fragment.payload, as: .float32, shape: shape)
        guard values.isFinite else {
            return .refused(.nonFinite, "\(fragment.segment) is not finite within bytes \(fragment.offset)…")
        }
        let end = fragment.offset + count
        guard let origin = base[fragment.segment], end <= origin.count else {
            return .refused(.badBase, "the base's \(fragment.segment) has no byte \(end - 1)")
        }
        let start = Tensor(decoding: Array(origin[fragment.offset..<end]), as: .float32, shape: shape)
        squares[segment] += values.squaredDistance(to: start)
        running.update(data: fragment.payload)
        bytes[segment] += fragment.payload
        guard bytes[segment].count == granted else { return .taken }
        while segment < bytes.count, bytes[segment].count == offer.segments[segment].byteCount {
            segment += 1
        }
        guard segment == bytes.count else { return .windowEnded }
        guard ParameterBytes.hash(running) == offer.hash else {
            return .refused(.corrupt, "the bytes do not have the hash \(offer.hash.abbreviated)")
        }
        isComplete = true
        return .completed
    }
}
