import ClusterMessages
import Tensors

/// A trainer's offer of a round: the bytes to be sent, and what they come to.
struct LocalOffer: Sendable {
    /// A segment of it.
    struct Part: Sendable {
        let segment: StateSegment
        let description: Message.ParameterSegment
        let bytes: [UInt8]
        /// The numbers that the bytes stand for; nil where they are the trainer's own.
        let values: Tensor?
        /// What rounding took away, for the next offer.
        let residual: Tensor?
        /// SHA-256 of the numbers.
        let valuesHash: ContentHash
    }

    let parts: [Part]
    /// By which the offer is known.
    let hash: ContentHash
    /// The hash of the state if nobody else's offer is in the mean.
    let outcome: ContentHash

    /// - Parameters:
    ///   - parts: in the order of the state's segments.
    ///   - others: the hashes of all segments of the state that the round begins with.
    init(_ parts: [Part], others: [(segment: StateSegment, hash: ContentHash)]) {
        self.parts = parts
        hash = ContentHash(
            ofAll: parts.map { $0.values == nil ? $0.valuesHash : ContentHash(of: $0.bytes) }
        )
        outcome = ContentHash(
            ofAll: others.map { segment, hash in
                parts.first { $0.segment == segment }?.valuesHash ?? hash
            }
        )
    }

    /// What the coordinator is told to expect.
    var layout: [Message.ParameterSegment] { parts.map(\.description) }

    /// The part of a name, if there is one.
    subscript(name: String) -> Part? { parts.first { $0.description.name == name } }
}

extension LocalOffer.Part {
    /// Numbers as they are.
    init(_ segment: StateSegment, _ values: Tensor) {
        self.segment = segment
        description = Message.ParameterSegment(
            name: segment.rawValue,
            elementCount: values.count,
            encoding: .float32
        )
        bytes = values.encoded()
        self.values = nil
        residual = nil
        valuesHash = ContentHash(of: bytes)
    }

    /// Numbers as their rounded difference from the base.
    init(_ segment: StateSegment, _ difference: Difference, as encoding: NumberEncoding) {
        self.segment = segment
        description = Message.ParameterSegment(
            name: segment.rawValue,
            elementCount: difference.values.count,
            encoding: encoding
        )
        bytes = difference.bytes
        values = difference.values
        residual = difference.residual
        valuesHash = ContentHash(of: difference.values)
    }
}
