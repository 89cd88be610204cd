import Distillation
import Tensors
import TestSupport
import Testing

@Suite struct TrajectoryPoolTests {
    @Test func `each sample is drawn as often as it may be, then its batch has been consumed`() throws {
        let fixture = try DistillationFixture()
        var pool = fixture.makePool(try fixture.rollOut(), uses: 2)
        var random = RandomStream(key: 1, stream: 1)
        #expect(pool.usesLeft == 6)
        let first = try #require(pool.draw(4, random: &random))
        #expect(first.consumed == [])
        let tooMany = pool.draw(3, random: &random)
        #expect(tooMany?.consumed == nil)
        let second = try #require(pool.draw(2, random: &random))
        #expect(second.consumed == [7])
        #expect(pool.usesLeft == 0 && pool.batchCount == 0)
    }

    @Test func `segments are drawn by their probabilities`() throws {
        let fixture = try DistillationFixture()
        var pool = fixture.makePool(try fixture.rollOut(), uses: 1000)
        var random = RandomStream(key: 1, stream: 2)
        let (batch, _, _) = try #require(pool.draw(2000, random: &random))
        let first = batch.startSigmas.filter { $0 == 1 }.count
        #expect(abs(Double(first) / 2000 - 0.4) < 0.05)
    }
}
