package import ClusterMessages
import Crypto
package import Distillation
package import Tensors

/// A round's state as it goes over the wire: named segments of little-endian 32-bit floats.
package struct ParameterBytes: Sendable, Equatable {
    /// One run of numbers.
    package struct Segment: Sendable, Equatable {
        /// A ``StateSegment``'s.
        package let name: String
        /// `[count]`.
        package let values: Tensor
        /// SHA-256 of the bytes.
        package let hash: ContentHash

        /// Takes numbers over and hashes them.
        package init(name: String, values: Tensor) {
            self.name = name
            self.values = values.reshaped([values.count])
            hash = ContentHash(of: values)
        }

        /// Four bytes a number.
        package var byteCount: Int { values.count * ScalarType.float32.byteCount }

        /// Those of the numbers at these places.
        package func bytes(_ numbers: Range<Int>) -> [UInt8] { values.rows(numbers).encoded() }

        package static func == (left: Self, right: Self) -> Bool {
            left.name == right.name && left.hash == right.hash
        }
    }

    /// In the order in which they are hashed and sent.
    package let segments: [Segment]
    /// SHA-256 of the segments' hashes, one behind the other: a segment that stays need not be hashed, or sent, again.
    package let hash: ContentHash

    /// Puts segments together.
    package init(_ segments: [Segment]) {
        self.segments = segments
        hash = ContentHash(ofAll: segments.map(\.hash))
    }

    /// The state of a run that has not begun.
    package init(_ networks: TrainableNetworks, _ averaging: AveragingSettings) {
        self.init(
            averaging.segments.map { .init(name: $0.rawValue, values: $0.initialValues(of: networks)) }
        )
    }

    /// The segment of a name, if there is one.
    package subscript(name: String) -> Segment? { segments.first { $0.name == name } }
}

extension ContentHash {
    /// Numbers hashed at once.
    private static let pieceCount = 1 << 18

    /// SHA-256 of a tensor's little-endian 32-bit floats.
    init(of values: Tensor) {
        var running = SHA256()
        let values = values.reshaped([values.count])
        for start in stride(from: 0, to: values.count, by: Self.pieceCount) {
            let end = min(values.count, start + Self.pieceCount)
            running.update(data: values.rows(start..<end).encoded())
        }
        self.init(running)
    }

    /// SHA-256 of hashes, one behind the other.
    init(ofAll hashes: [ContentHash]) {
        var running = SHA256()
        for hash in hashes { running.update(data: hash.bytes) }
        self.init(running)
    }

    /// SHA-256 of bytes.
    init(of bytes: [UInt8]) {
        var running = SHA256()
        running.update(data: bytes)
        self.init(running)
    }

    /// A finished hash.
    init(_ running: SHA256) {
        guard let hash = ContentHash(running.finalize()) else {
            preconditionFailure("a SHA-256 has \(ContentHash.byteCount) bytes")
        }
        self = hash
    }
}
