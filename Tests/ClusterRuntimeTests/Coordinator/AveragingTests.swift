import ClusterMessages
import Tensors
import Testing

@testable import ClusterRuntime

@Suite struct AveragingTests {
    // MARK: The mean

    @Test func `the mean of one member is its bits`() {
        let values = Tensor([0.1, -3.25, 7], shape: [3])
        #expect(OuterStep.mean([(values, 17)]).encoded() == values.encoded())
    }

    @Test func `members that agree are their mean, whatever their weights`() {
        let values = Tensor([0.1, 0.2, 0.3], shape: [3])
        let mean = OuterStep.mean([(values, 1), (values.copied(), 3), (values.copied(), 7)])
        #expect(mean.encoded() == values.encoded())
    }

    @Test func `samples weigh`() {
        let mean = OuterStep.mean([(Tensor([0, 8], shape: [2]), 1), (Tensor([4, 0], shape: [2]), 3)])
        #expect(mean.values == [3, 2])
    }

    @Test func `the outer step is Nesterov's`() {
        let base = Tensor([1], shape: [1])
        let first = OuterStep.nesterov(base: base, mean: Tensor([0], shape: [1]), velocity: nil)
        // g = 1, m = 1: 1 - 0.7 (1 + 0.9)
        #expect(abs(first.values.values[0] - -0.33) < 1e-6)
        let second = OuterStep.nesterov(
            base: first.values,
            mean: first.values.copied(),
            velocity: first.velocity
        )
        // g = 0, m = 0.9: -0.33 - 0.7 · 0.9 · 0.9
        #expect(abs(second.values.values[0] - -0.897) < 1e-6)
    }

    // MARK: Periods

    @Test func `student and counts are averaged in every round, discriminators and moments every period`() {
        var averaging = AveragingSettings()
        averaging.discriminatorPeriod = 3
        averaging.momentsPeriod = 2
        func rounds(_ segment: StateSegment) -> [UInt64] {
            (1...7).filter { averaging.segments(averagedIn: RoundNumber($0)).contains(segment) }
        }
        #expect(rounds(.student) == Array(1...7))
        #expect(rounds(.updateCounts) == Array(1...7))
        #expect(rounds(.discriminator) == [3, 6])
        #expect(rounds(.studentSecondMoment) == [2, 4, 6])
        #expect(rounds(.momentAges) == [2, 4, 6])
        averaging.momentsPeriod = 0
        #expect(averaging.segments == [.student, .discriminator, .updateCounts])
        #expect(rounds(.studentSecondMoment) == [])
    }

    @Test func `a trainer keeps its own of what was not averaged since it loaded`() {
        var averaging = AveragingSettings()
        averaging.discriminatorPeriod = 3
        averaging.momentsPeriod = 0
        func takes(from former: UInt64, to round: UInt64) -> Bool {
            averaging.segments(averagedAfter: RoundNumber(former), until: RoundNumber(round))
                .contains(.discriminator)
        }
        #expect(!takes(from: 0, to: 1))
        #expect(!takes(from: 3, to: 5))
        #expect(takes(from: 2, to: 3))
        #expect(takes(from: 2, to: 4))
        averaging.discriminatorPeriod = 1
        #expect(takes(from: 1, to: 2))
    }
}
