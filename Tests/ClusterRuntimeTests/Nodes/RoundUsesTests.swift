import ClusterMessages
import Testing

@testable import ClusterRuntime

struct RoundUsesTests {
    private func source(_ batch: UInt64, samples: Int) throws -> BatchSource {
        let hash = try #require(ContentHash([UInt8](repeating: UInt8(batch), count: 32)))
        return BatchSource(batch: BatchID(batch), hash: hash, sampleCount: samples)
    }

    @Test func `a use is reported when every sample of a batch could have been drawn once`() throws {
        let batch = try source(4, samples: 4)
        var uses = RoundUses(RoundNumber(9))
        #expect(uses.count([.init(source: batch, count: 3)], step: 0) == [])
        let reports = uses.count([.init(source: batch, count: 3)], step: 1)
        #expect(reports.map(\.sampleCount) == [4])
        #expect(reports.map(\.useCount) == [1])
        #expect(reports.map(\.localStep) == [1])
        #expect(reports.first?.round == RoundNumber(9))
    }

    @Test func `all samples of a round are reported, the begun uses at its end`() throws {
        let first = try source(4, samples: 4)
        let second = try source(5, samples: 4)
        var uses = RoundUses(RoundNumber(1))
        _ = uses.count([.init(source: first, count: 3)], step: 0)
        _ = uses.count([.init(source: first, count: 5), .init(source: second, count: 1)], step: 1)
        let rest = uses.close(step: 2)
        #expect(rest.map(\.batch) == [BatchID(5)])
        #expect(rest.map(\.sampleCount) == [1])
        #expect(uses.reports.map(\.useCount) == [1, 2, 1])
        #expect(uses.reports.reduce(0) { $0 + $1.sampleCount } == uses.sampleCount)
        #expect(uses.sampleCount == 9)
        #expect(uses.close(step: 3) == [])
    }
}
