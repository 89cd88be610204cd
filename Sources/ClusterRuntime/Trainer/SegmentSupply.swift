import ClusterMessages
import DiffusionModels
import Distillation
import Tensors

/// The batches a round draws its segments from, one used up after the other.
///
/// What is drawn depends only on the batches, in their order, and on the random stream, never on when they came:
/// a batch is begun when the ones before it have no use left.
struct SegmentSupply {
    /// A batch with what is left of it.
    private struct Stock {
        let source: BatchSource
        var pool: TrajectoryPool
    }

    /// Draws made from one batch in one step.
    struct Draw: Sendable, Equatable {
        let source: BatchSource
        let count: Int
    }

    private var stocks: [Stock] = []

    /// Draws that can still be made.
    var usesLeft: Int { stocks.reduce(0) { $0 + $1.pool.usesLeft } }

    /// Adds a batch behind the others; `pool` holds it and nothing else.
    mutating func add(_ source: BatchSource, _ pool: TrajectoryPool) {
        stocks.append(Stock(source: source, pool: pool))
    }

    /// Forgets all batches.
    mutating func removeAll() { stocks = [] }

    /// Draws `count` segments; nil when too few uses are left.
    mutating func draw(_ count: Int, random: inout RandomStream) -> (batch: SegmentBatch, draws: [Draw])? {
        guard usesLeft >= count else { return nil }
        var parts: [SegmentBatch] = []
        var draws: [Draw] = []
        var missing = count
        while missing > 0 {
            let share = min(missing, stocks[0].pool.usesLeft)
            if let (part, _) = stocks[0].pool.draw(share, random: &random) {
                parts.append(part)
                draws.append(Draw(source: stocks[0].source, count: share))
            }
            missing -= share
            if stocks[0].pool.usesLeft == 0 { stocks.removeFirst() }
        }
        return (SegmentBatch(joining: parts), draws)
    }
}

/// A batch as reports name it.
struct BatchSource: Sendable, Hashable {
    let batch: BatchID
    let hash: ContentHash
    let sampleCount: Int
}

extension SegmentBatch {
    /// Some batches as one, in their order.
    fileprivate init(joining parts: [SegmentBatch]) {
        self.init(
            starts: .concatenated(parts.map(\.starts)),
            ends: .concatenated(parts.map(\.ends)),
            startSigmas: parts.flatMap(\.startSigmas),
            endSigmas: parts.flatMap(\.endSigmas),
            text: EncodedText(
                context: .concatenated(parts.map(\.text.context)),
                pooled: .concatenated(parts.map(\.text.pooled))
            )
        )
    }
}
