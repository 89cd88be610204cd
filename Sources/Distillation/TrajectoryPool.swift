package import DiffusionModels
package import FlowMatching
package import Tensors

/// Trajectories at hand, from which updates draw their segments.
///
/// Each sample is drawn at most `usesPerSample` times; a batch whose samples are all used up has been consumed
/// and leaves. What is drawn depends only on the batches added, in their order, and on the random stream.
package struct TrajectoryPool: Sendable {
    private struct Entry: Sendable {
        let id: UInt64
        let batch: TrajectoryBatch
        /// Of the batch's segments.
        let spans: [SegmentSpan]
        let text: EncodedText
        var usesLeft: [Int]
        var totalLeft: Int
    }

    package let usesPerSample: Int
    private let grid: SegmentGrid
    private let segmentProbabilities: [Float]
    /// Whether segments are drawn with the noise that their trajectories start from.
    private let keepsNoise: Bool
    private var entries: [Entry] = []

    package init(
        grid: SegmentGrid,
        segmentProbabilities: [Float],
        usesPerSample: Int,
        keepsNoise: Bool = false
    ) {
        precondition(usesPerSample >= 1, "a sample is used at least once, got \(usesPerSample)")
        precondition(
            segmentProbabilities.count == grid.segmentCount,
            "\(segmentProbabilities.count) probabilities for \(grid.segmentCount) segments"
        )
        self.grid = grid
        self.segmentProbabilities = segmentProbabilities
        self.usesPerSample = usesPerSample
        self.keepsNoise = keepsNoise
    }

    /// Batches at hand.
    package var batchCount: Int { entries.count }
    /// Draws that can still be made.
    package var usesLeft: Int { entries.reduce(0) { $0 + $1.totalLeft } }

    /// Adds a batch.
    ///
    /// - Parameters:
    ///   - text: its samples' encoded prompts.
    ///   - spans: of its segments; nil for the grid's.
    package mutating func add(
        _ batch: TrajectoryBatch,
        id: UInt64,
        text: EncodedText,
        spans: [SegmentSpan]? = nil
    ) {
        entries.append(
            Entry(
                id: id,
                batch: batch,
                spans: spans
                    ?? batch.segments.map { SegmentSpan(start: grid.start(of: $0), end: grid.end(of: $0)) },
                text: text,
                usesLeft: [Int](repeating: usesPerSample, count: batch.sampleCount),
                totalLeft: usesPerSample * batch.sampleCount
            )
        )
    }

    /// Draws `count` segments: a sample uniformly among the uses left, then a segment by its probability.
    ///
    /// - Parameter probabilities: of the grid's segments, where an update has others than the pool's own.
    /// - Returns: the segments, how many came from each batch, oldest first, and the ids of batches that this
    ///   draw used up; nil when too few uses are left.
    package mutating func draw(
        _ count: Int,
        probabilities: [Float]? = nil,
        random: inout RandomStream
    ) -> (batch: SegmentBatch, draws: [(id: UInt64, count: Int)], consumed: [UInt64])? {
        guard usesLeft >= count else { return nil }
        let probabilities = probabilities ?? segmentProbabilities
        var drawn: [(entry: Entry, sample: Int, place: Int)] = []
        for _ in 0..<count {
            let (entry, sample) = locate(random.nextInteger(below: usesLeft))
            let present = entries[entry].batch.segments
            let place = categorical(
                present.map { probabilities[$0] },
                random.nextUniform()
            )
            drawn.append((entries[entry], sample, place))
            entries[entry].usesLeft[sample] -= 1
            entries[entry].totalLeft -= 1
        }
        let draws = entries.compactMap { entry in
            let count = drawn.count { $0.entry.id == entry.id }
            return count > 0 ? (entry.id, count) : nil
        }
        let consumed = entries.filter { $0.totalLeft == 0 }.map(\.id)
        entries.removeAll { $0.totalLeft == 0 }
        let spans = drawn.map { $0.entry.spans[$0.place] }
        let texts = drawn.map { $0.entry.text.rows($0.sample..<$0.sample + 1) }
        return (
            SegmentBatch(
                starts: .stacked(drawn.map { $0.entry.batch.start($0.place, sample: $0.sample) }),
                ends: .stacked(drawn.map { $0.entry.batch.end($0.place, sample: $0.sample) }),
                startSigmas: spans.map(\.start),
                endSigmas: spans.map(\.end),
                text: EncodedText(
                    context: .concatenated(texts.map(\.context)),
                    pooled: .concatenated(texts.map(\.pooled))
                ),
                noise: keepsNoise ? .stacked(drawn.map { $0.entry.batch.start(0, sample: $0.sample) }) : nil
            ),
            draws,
            consumed
        )
    }

    /// The entry and sample that hold a use, counted through all uses left.
    private func locate(_ use: Int) -> (entry: Int, sample: Int) {
        var rest = use
        for (index, entry) in entries.enumerated() {
            guard rest >= entry.totalLeft else {
                for (sample, left) in entry.usesLeft.enumerated() {
                    if rest < left { return (index, sample) }
                    rest -= left
                }
                break
            }
            rest -= entry.totalLeft
        }
        preconditionFailure("use \(use) of \(usesLeft) left")
    }
}
