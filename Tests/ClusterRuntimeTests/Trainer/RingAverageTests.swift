import ClusterMessages
import Tensors
import Testing

@testable import ClusterRuntime

@Suite struct RingAverageTests {
    /// Segments of fewer numbers than members, of no whole blocks, and of more than is at hand at once.
    private static func layout(_ encoding: NumberEncoding) -> [Message.ParameterSegment] {
        [
            .init(name: "student", elementCount: 1_000, encoding: encoding),
            .init(name: "discriminator", elementCount: 70_001, encoding: encoding),
            .init(name: "update_counts", elementCount: 2, encoding: .float32),
        ]
    }

    private static func values(_ count: Int, _ key: Int) -> Tensor {
        Tensor((0..<count).map { Float(($0 * 31 + key * 17) % 257) / 1000 + Float(key) }, shape: [count])
    }

    @Test(arguments: [1, 2, 3, 7])
    func `every number is one member's and lies where the offer has it`(memberCount: Int) {
        for encoding in [NumberEncoding.float32, .int8] {
            let partition = RingPartition(segments: Self.layout(encoding), memberCount: memberCount)
            var covered = partition.segments.map { [Bool](repeating: false, count: $0.elementCount) }
            for member in 0..<memberCount {
                var byteCount = 0
                for piece in partition.pieces(for: member) {
                    for number in piece.numbers {
                        #expect(!covered[piece.segment][number])
                        covered[piece.segment][number] = true
                    }
                    #expect(partition.bytes(of: piece).upperBound <= partition.offerByteCount)
                    byteCount += piece.numbers.count * 4
                }
                #expect(byteCount == partition.meanByteCount(for: member))
            }
            #expect(covered.allSatisfy { $0.allSatisfy { $0 } })
        }
    }

    @Test(arguments: [NumberEncoding.float32, .float16, .int8])
    func `the shares together are the mean of the whole offers, bit for bit`(encoding: NumberEncoding) throws
    {
        let partition = RingPartition(segments: Self.layout(encoding), memberCount: 3)
        let samples = [4, 7, 5]
        let base: [StateSegment: Tensor] = [
            .student: Self.values(1_000, 9), .discriminator: Self.values(70_001, 8),
        ]
        let offers: [[UInt8]] = (0..<3).map { member in
            partition.segments.flatMap { $0.encoding.encode(Self.values($0.elementCount, member)) }
        }
        let average = RingAverage(partition: partition, samples: samples, base: base)
        var shares: [[Float]] = partition.segments.map { .init(repeating: .nan, count: $0.elementCount) }
        var squares = [[Double]](repeating: [0, 0, 0], count: 2)
        for member in 0..<3 {
            for piece in partition.pieces(for: member) {
                let bytes = offers.map { Array($0[partition.bytes(of: piece)]) }
                let part = try average.part(piece, of: bytes)
                let mean = Tensor(decoding: part.bytes, as: .float32, shape: [piece.numbers.count])
                shares[piece.segment].replaceSubrange(piece.numbers, with: mean.values)
                for (offer, square) in (part.squares ?? []).enumerated() {
                    squares[piece.segment][offer] += square
                }
            }
        }
        for (index, segment) in partition.segments.enumerated() {
            let whole = (0..<3).map { member in
                let bytes = segment.encoding.encode(Self.values(segment.elementCount, member))
                let start = StateSegment(rawValue: segment.name).flatMap { base[$0] }
                let zero = Tensor.zeros([segment.elementCount])
                let values = Difference.values(bytes, segment.encoding, base: start ?? zero)
                if let start {
                    let exact = values.squaredDistance(to: start)
                    #expect(abs(squares[index][member] - exact) <= 1e-9 * exact)
                }
                return (values: values, samples: samples[member])
            }
            #expect(OuterStep.mean(whole).values == shares[index], "\(segment.name)")
        }
    }

    @Test func `an offer that is not finite, or negative where nothing is, has no mean`() {
        let partition = RingPartition(segments: Self.layout(.float32), memberCount: 2)
        let average = RingAverage(partition: partition, samples: [1, 1], base: [:])
        for (segment, wrong) in [(0, Float.nan), (1, .infinity), (2, -1)] {
            let piece = RingPartition.Piece(segment: segment, numbers: 0..<2)
            let offers = [[1, 2], [wrong, 2]].map { Tensor($0, shape: [2]).encoded() }
            #expect(throws: NodeError.self) { try average.part(piece, of: offers) }
        }
    }
}
