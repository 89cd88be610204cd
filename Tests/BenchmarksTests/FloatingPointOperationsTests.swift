import DiffusionModels
import Distillation
import Testing

@testable import Benchmarks

/// Figures worked out by hand from the formulas, in 10⁹ operations.
@Suite struct FloatingPointOperationsTests {
    private func expect(
        _ operations: Double,
        giga expected: Double,
        within tolerance: Double = 1e-9,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let relative = abs(operations / 1e9 - expected) / expected
        #expect(relative <= tolerance, "\(operations)", sourceLocation: sourceLocation)
    }

    @Test func `a forward of each shape takes the operations that the shapes are known by`() {
        expect(BenchmarkShape.tiny.forwardOperations, giga: 7.2, within: 5e-3)
        expect(BenchmarkShape.small.forwardOperations, giga: 128.8, within: 5e-4)
        expect(BenchmarkShape.sd3Block.forwardOperations, giga: 75.3, within: 5e-4)
        expect(BenchmarkShape.emoji.with(batch: 1).forwardOperations, giga: 0.32, within: 5e-3)
    }

    @Test func `a block counts its maps, its attention and its modulation`() {
        // T = 1178, D = 1536: 24 T D² = 66 702 016 512, 4 T² D = 8 525 930 496, 24 D² = 56 623 104.
        expect(BenchmarkShape.sd3Block.forwardOperations, giga: 75.284_570_112)
        expect(BenchmarkShape.sd3Block.attentionOperations, giga: 8.525_930_496)
    }

    @Test func `a network counts embeddings, and less for the last block's text`() {
        // tiny, a sample: T = 80, T_c = 16, D = 192.
        // A block: 24·80·36864 + 4·6400·192 + 24·36864 = 70 778 880 + 4 915 200 + 884 736 = 76 578 816.
        // The last lacks 18·16·36864 + 8·36864 = 10 911 744.
        // Patches in and out: 2·2·64·16·192 = 786 432. Text: 2·16·192·192 = 1 179 648.
        // Conditions: 2·(256 + 192 + 192 + 192)·192 + 4·36864 = 319 488 + 147 456 = 466 944.
        let sample = 6 * 76_578_816 - 10_911_744 + 786_432 + 1_179_648 + 466_944
        expect(BenchmarkShape.tiny.with(batch: 1).forwardOperations, giga: Double(sample) / 1e9)
        expect(BenchmarkShape.tiny.forwardOperations, giga: 16 * Double(sample) / 1e9)
    }

    @Test func `a second attention counts its maps, its products and its modulation`() {
        let plain = BenchmarkShape.tiny.with(batch: 1)
        let dual = plain.with(layers: 6, dualLayers: [0, 3])
        // Tᵢ = 64, D = 192: 8·64·36864 + 4·4096·192 + 6·36864 = 18 874 368 + 3 145 728 + 221 184.
        expect(dual.forwardOperations - plain.forwardOperations, giga: 2 * 22_241_280 / 1e9)
        expect(dual.attentionOperations - plain.attentionOperations, giga: 2 * 3_145_728 / 1e9)
    }

    @Test func `training takes three forwards, of adapters two and one attention`() {
        for shape in BenchmarkShape.all {
            let forward = shape.forwardOperations / 1e9
            expect(shape.fullTrainingOperations, giga: 3 * forward)
            expect(shape.adapterTrainingOperations, giga: 2 * forward + shape.attentionOperations / 1e9)
        }
    }

    /// FlowSteer's step at segments' starts: every state is judged once, both ways back go over the same forwards.
    @Test(arguments: [
        (DiscriminatorShape.Mode.full, 7.0, 1.0), (.lora, 5, 3), (.frozen, 3, 1),
    ])
    func `a discriminator of one block adds forwards by what of it is trained`(
        mode: DiscriminatorShape.Mode,
        forwards: Double,
        attentions: Double
    ) throws {
        // tiny, a sample: the one block without its text's end 65 667 072, embeddings
        // 2·64·16·192 + 1 179 648 + 319 488 = 1 892 352, its attention 4 915 200.
        let added = forwards * (65_667_072 + 1_892_352) + attentions * 4_915_200
        let shape = BenchmarkShape.tiny.with(batch: 1)
        var network = NetworkSettings()
        network.discriminator.depth = 1
        network.discriminator.mode = mode
        var settings = TrainingSettings()
        settings.places = .start
        let evaluations = try StepEvaluations(network: network, settings: settings)
        expect(
            shape.distillationOperations(evaluations, network: network) - shape.adapterTrainingOperations,
            giga: added / 1e9
        )
    }
}
