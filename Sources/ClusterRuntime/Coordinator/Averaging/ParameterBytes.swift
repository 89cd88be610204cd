package import ClusterMessages
import Crypto
package import Distillation
import NeuralNetwork
package import Tensors

/// A round's parameters as they go over the wire: named segments of little-endian 32-bit floats.
package struct ParameterBytes: Sendable, Equatable {
    /// One run of numbers.
    package struct Segment: Sendable, Equatable {
        /// `student` or `discriminator`.
        package let name: String
        /// Four bytes a number.
        package let bytes: [UInt8]

        /// The numbers, `[count]`, in memory of their own.
        package var values: Tensor {
            Tensor(decoding: bytes, as: .float32, shape: [bytes.count / ScalarType.float32.byteCount])
        }
    }

    /// In the order in which they are hashed and sent.
    package let segments: [Segment]
    /// SHA-256 of the segments' bytes, one behind the other.
    package let hash: ContentHash

    /// Takes segments over and hashes them.
    package init(_ segments: [(name: String, bytes: [UInt8])]) {
        var running = SHA256()
        for segment in segments { running.update(data: segment.bytes) }
        self.init(segments, hash: Self.hash(running))
    }

    /// Takes over segments that were hashed as they came.
    init(_ segments: [(name: String, bytes: [UInt8])], hash: ContentHash) {
        self.segments = segments.map { Segment(name: $0.name, bytes: $0.bytes) }
        self.hash = hash
    }

    /// The present numbers of some networks.
    package init(_ networks: TrainableNetworks) {
        self.init(networks.segments.map { ($0.name, $0.parameters.values.encoded()) })
    }

    /// The segments that a round averages, which is what its offers hold.
    package func averaged(in round: RoundNumber, _ averaging: AveragingSettings) -> ParameterBytes {
        let chosen = segments.filter { averaging.averages($0.name, in: round.rawValue) }
        return chosen.count == segments.count ? self : ParameterBytes(chosen.map { ($0.name, $0.bytes) })
    }

    /// The bytes of a segment; nil when there is none of this name.
    package subscript(name: String) -> [UInt8]? { segments.first { $0.name == name }?.bytes }

    /// What an offer of such parameters announces.
    package var layout: [Message.ParameterSegment] {
        segments.map {
            let count = $0.bytes.count / ScalarType.float32.byteCount
            return Message.ParameterSegment(name: $0.name, elementCount: count, type: .float32)
        }
    }

    /// A finished hash of bytes.
    static func hash(_ running: SHA256) -> ContentHash {
        guard let hash = ContentHash(running.finalize()) else {
            preconditionFailure("a SHA-256 has \(ContentHash.byteCount) bytes")
        }
        return hash
    }
}
