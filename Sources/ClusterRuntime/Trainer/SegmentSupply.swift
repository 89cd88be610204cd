import ClusterMessages
import DiffusionModels
import Distillation
import Tensors

/// The batches a round draws its segments from, mixed a few at a time.
///
/// What is drawn depends only on the batches, in their order, and on the random stream, never on when they came:
/// the first draw waits until as many are at hand as are mixed, and one more is taken only when the uses of
/// those run out.
struct SegmentSupply {
    /// Draws made from one batch in one step.
    struct Draw: Sendable, Equatable {
        let source: BatchSource
        let count: Int
    }

    private let makePool: @Sendable () -> TrajectoryPool
    private let mixedBatches: Int
    private var pool: TrajectoryPool
    private var sources: [UInt64: BatchSource] = [:]

    /// A supply without batches.
    init(_ configuration: RunConfiguration, _ alignment: OnlineTrajectoryAlignment) {
        makePool = {
            TrajectoryPool(
                grid: alignment.grid,
                segmentProbabilities: alignment.segmentProbabilities,
                usesPerSample: configuration.maxUses,
                keepsNoise: configuration.training.states == .rollout
            )
        }
        mixedBatches = configuration.mixedBatches
        pool = makePool()
    }

    /// Whether `count` draws need another batch first.
    func needsBatch(for count: Int) -> Bool { sources.count < mixedBatches || pool.usesLeft < count }

    /// Adds a batch behind the others.
    mutating func add(
        _ source: BatchSource,
        _ batch: TrajectoryBatch,
        text: EncodedText,
        spans: [SegmentSpan]? = nil
    ) {
        pool.add(batch, id: source.batch.rawValue, text: text, spans: spans)
        sources[source.batch.rawValue] = source
    }

    /// Forgets all batches: another round begins.
    mutating func removeAll() {
        pool = makePool()
        sources = [:]
    }

    /// Draws `count` segments; nil when a batch is needed first.
    ///
    /// - Parameter probabilities: of the segments, where a stage has others than the last.
    mutating func draw(
        _ count: Int,
        probabilities: [Float]? = nil,
        random: inout RandomStream
    ) -> (batch: SegmentBatch, draws: [Draw])? {
        guard !needsBatch(for: count),
            let drawn = pool.draw(count, probabilities: probabilities, random: &random)
        else { return nil }
        let draws = drawn.draws.compactMap { draw in
            sources[draw.id].map { Draw(source: $0, count: draw.count) }
        }
        return (drawn.batch, draws)
    }
}

/// A batch as reports name it.
struct BatchSource: Sendable, Hashable {
    let batch: BatchID
    let hash: ContentHash
    let sampleCount: Int
}
