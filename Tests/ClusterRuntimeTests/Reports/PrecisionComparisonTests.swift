import Tensors
import TestSupport
import Testing

@testable import ClusterRuntime

@Suite struct PrecisionComparisonTests {
    private func comparison(_ precision: Precision) throws -> PrecisionComparison {
        try PrecisionComparison(
            of: ModelSampler(modelPath: Repository.teacher, lanes: 1),
            precision: precision,
            prompts: ["a cat", "two dogs"],
            steps: 4,
            guidance: 3,
            seed: 0
        )
    }

    @Test func `a teacher does not drift from itself`() throws {
        let same = try comparison(.float32)
        #expect(same.relativeDifferences == [0, 0] && same.distances == [0, 0])
    }

    @Test func `rounded weights move the shipped teacher's endpoints by a few per cent at most`() throws {
        let rounded = try comparison(.bfloat16)
        #expect(rounded.relativeDifferences.count == 2)
        #expect(rounded.relativeDifferences.allSatisfy { $0 > 1e-6 && $0 < 5e-2 })
        #expect(rounded.distances.allSatisfy { $0 > 0 })
    }
}
