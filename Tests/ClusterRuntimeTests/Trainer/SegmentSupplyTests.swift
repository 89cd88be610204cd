import ClusterMessages
import DiffusionModels
import Distillation
import Tensors
import Testing

@testable import ClusterRuntime

@Suite struct SegmentSupplyTests {
    private func makeSupply(mixing count: Int, uses: Int) -> SegmentSupply {
        var configuration = RunConfiguration(modelPath: "/model")
        configuration.mixedBatches = count
        configuration.maxUses = uses
        let alignment = OnlineTrajectoryAlignment(
            configuration.trajectory,
            segmentProbabilities: configuration.training.segmentProbabilities,
            shift: 3,
            seed: 1
        )
        return SegmentSupply(configuration, alignment)
    }

    private func source(_ number: UInt64) throws -> BatchSource {
        let hash = try #require(ContentHash([UInt8](repeating: UInt8(number), count: 32)))
        return BatchSource(batch: BatchID(number), hash: hash, sampleCount: 2)
    }

    /// Adds a batch of two samples whose every number is the batch's own.
    private func add(_ number: UInt64, to supply: inout SegmentSupply) throws {
        let states = Tensor(repeating: Float(number), shape: [5, 2, 1, 2, 2])
        let text = EncodedText(context: .zeros([2, 1, 1]), pooled: .zeros([2, 1]))
        let batch = TrajectoryBatch(segments: [0, 1, 2, 3], states: states, isChained: true)
        supply.add(try source(number), batch, text: text)
    }

    @Test func `nothing is drawn before as many batches are at hand as are mixed`() throws {
        var supply = makeSupply(mixing: 2, uses: 3)
        var random = RandomStream(key: 1, stream: 1)
        try add(1, to: &supply)
        #expect(supply.needsBatch(for: 1))
        let early = supply.draw(1, random: &random)
        #expect(early?.draws == nil)
        try add(2, to: &supply)
        #expect(!supply.needsBatch(for: 12) && supply.needsBatch(for: 13))
    }

    @Test func `draws name the batches they came from, and use each up exactly`() throws {
        var supply = makeSupply(mixing: 2, uses: 3)
        var random = RandomStream(key: 1, stream: 2)
        for number in [1, 2] as [UInt64] { try add(number, to: &supply) }
        var counts: [BatchID: Int] = [:]
        for _ in 0..<3 {
            let (batch, draws) = try #require(supply.draw(4, random: &random))
            for draw in draws {
                counts[draw.source.batch, default: 0] += draw.count
                let number = Float(draw.source.batch.rawValue)
                let own = (0..<4).count { batch.starts.row($0).values[0] == number }
                #expect(own == draw.count)
            }
        }
        #expect(counts == [BatchID(1): 6, BatchID(2): 6])
        #expect(supply.needsBatch(for: 1))
    }

    @Test func `after a round has begun anew its batches are gathered anew`() throws {
        var supply = makeSupply(mixing: 1, uses: 1)
        try add(1, to: &supply)
        #expect(!supply.needsBatch(for: 2))
        supply.removeAll()
        #expect(supply.needsBatch(for: 1))
    }
}
