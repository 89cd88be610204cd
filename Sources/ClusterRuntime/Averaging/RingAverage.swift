import ClusterMessages
import Tensors

/// Makes a member's share of a ring's mean, piece by piece: each number is the one that ``RoundAverage`` would make.
struct RingAverage: Sendable {
    /// A piece of the mean, and how far each offer is from the base within it.
    struct Part: Sendable {
        /// 32-bit floats, little-endian.
        let bytes: [UInt8]
        /// Squared; by member, nil of what is not made of parameters.
        let squares: [Double]?
    }

    let partition: RingPartition
    /// The samples of each member, in the order of the sum.
    let samples: [Int]
    /// The committed numbers of segments of parameters.
    let base: [StateSegment: Tensor]

    /// Places among the squares: those of segments of parameters, in order.
    var measured: [Int] {
        partition.segments.indices.filter {
            StateSegment(rawValue: partition.segments[$0].name)?.isOfParameters ?? false
        }
    }

    /// The mean of a piece of every offer, in the order of the members.
    func part(_ piece: RingPartition.Piece, of offers: [[UInt8]]) throws(NodeError) -> Part {
        let description = partition.segments[piece.segment]
        let segment = StateSegment(rawValue: description.name)
        let start = segment.flatMap { base[$0] }?.rows(piece.numbers)
        var members: [(values: Tensor, samples: Int)] = []
        var squares: [Double] = []
        for (member, bytes) in offers.enumerated() {
            let encoding = description.encoding
            let values =
                start.map { Difference.values(bytes, encoding, base: $0) }
                ?? encoding.decode(bytes, count: piece.numbers.count)
            guard values.isFinite else {
                throw .brokenProtocol(
                    peer: "member \(member)",
                    reason: "its \(description.name) is not finite"
                )
            }
            if let start { squares.append(values.squaredDistance(to: start)) }
            members.append((values, samples[member]))
        }
        let mean = OuterStep.mean(members)
        if segment?.isNeverNegative ?? false {
            for (member, offer) in members.enumerated() {
                let raised = offer.values.copied()
                raised.raise(to: 0)
                guard raised.squaredDistance(to: offer.values) == 0 else {
                    let reason = "its \(description.name) is negative"
                    throw .brokenProtocol(peer: "member \(member)", reason: reason)
                }
            }
            // Weights are rounded, so a mean may come out below numbers that are all zero or more.
            mean.raise(to: 0)
        }
        return Part(bytes: mean.encoded(), squares: start == nil ? nil : squares)
    }
}
