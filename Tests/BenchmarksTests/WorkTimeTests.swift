import DiffusionModels
import Distillation
import Tensors
import Testing

@testable import Benchmarks

/// What is timed in place of a large network, and how its time is carried on.
@Suite struct WorkTimeTests {
    /// Stable Diffusion 3 Medium on pictures of 1024 × 1024 pixels, as its pipeline feeds it.
    private let medium: BenchmarkShape = {
        var configuration = BenchmarkShape.sd3Block.configuration
        configuration.sampleSize = 128
        return BenchmarkShape(
            configuration,
            extent: LatentExtent(rows: 128, columns: 128),
            textTokens: 333,
            batch: 8
        )
    }()

    private func probes(_ shape: BenchmarkShape, depth: Int = 0) -> [ProbeShape] {
        ProbeShape.probes(shape, depth: depth, load: .training, lanes: 1) { shape, _ in
            shape.forwardOperations
        }
    }

    @Test func `a small network is timed as it is`() {
        #expect(probes(.emoji, depth: 2) == [ProbeShape(shape: .emoji, discriminatorDepth: 2)])
    }

    @Test func `of a deeper one few blocks are timed, and of its discriminator as large a part`() {
        let probes = probes(.small.with(batch: 8), depth: 6)
        #expect(probes.map(\.discriminatorDepth) == [1])
        #expect(probes.map(\.shape.configuration.layerCount) == [2])
        #expect(probes.map(\.shape.width) == [BenchmarkShape.small.width])
        #expect(probes.map(\.shape.tokens) == [BenchmarkShape.small.tokens])
    }

    @Test func `a large one is timed at two widths, at which attention has the share that it has`() {
        let probes = probes(medium, depth: 12)
        #expect(probes.count == 2)
        #expect(probes[0].shape.forwardOperations <= WorkTime.operationLimit)
        #expect(probes[1].shape.width == probes[0].shape.width / 2)
        func share(_ shape: BenchmarkShape) -> Double { Double(shape.tokens) / Double(shape.width) }
        for probe in probes {
            #expect(probe.shape.batch == 1)
            #expect(probe.discriminatorDepth == 1)
            #expect(abs(share(probe.shape) / share(medium) - 1) < 0.05, "\(probe.shape.tokens)")
        }
    }

    @Test func `an operation's time is a constant and a part that falls with the width`() {
        func cost(_ width: Int) -> Double { 3 + 100 / Double(width) }
        let carried = WorkTime.carried([cost(512), cost(256)], widths: [512, 256], to: 1536)
        #expect(abs(carried - cost(1536)) < 1e-12)
    }

    @Test func `a narrow network that seems faster says nothing of a wide one`() {
        #expect(WorkTime.carried([3, 2], widths: [512, 256], to: 1536) == 3)
    }

    @Test func `a narrow network that was timed in a bad moment makes no wide one take less than half`() {
        let carried = WorkTime.carried([3, 30], widths: [512, 256], to: 1536)
        #expect(abs(carried - (1.5 + 1.5 / 3)) < 1e-12)
    }
}
