import ClusterMessages
import Testing

@testable import ClusterRuntime

struct WorkRatesTests {
    private let rollout = NodeID(1)
    private let trainer = NodeID(2)

    /// Both work for some seconds: the rollout always, the trainer waits half of its time.
    private func rates(seconds: Int, solved: Int, taken: Int) -> WorkRates {
        var rates = WorkRates()
        for second in 0...seconds {
            if second > 0 {
                rates.did(solved, by: rollout)
                rates.did(taken, by: trainer)
            }
            rates.heard(rollout, busy: Double(second), now: Double(second))
            rates.heard(trainer, busy: Double(second) / 2, now: Double(second))
        }
        return rates
    }

    @Test func `a pace leaves waiting out, a rate does not`() {
        let rates = rates(seconds: 200, solved: 4, taken: 6)
        #expect(rates.pace(of: rollout) == 4)
        #expect(rates.pace(of: trainer) == 12)
        #expect(rates.perSecond(of: trainer) == 6)
        #expect(rates.total(of: trainer) == 1200)
    }

    @Test func `as many rollouts are recommended as trainers that never wait would use up`() {
        let rates = rates(seconds: 20, solved: 4, taken: 6)
        #expect(rates.recommendedRollouts(rollouts: [rollout], trainers: [trainer]) == 3)
        let newcomer = NodeID(3)
        #expect(rates.recommendedRollouts(rollouts: [rollout], trainers: [trainer, newcomer]) == 6)
        #expect(rates.recommendedRollouts(rollouts: [newcomer], trainers: [trainer]) == nil)
    }

    @Test func `a node that starts again is measured anew, one that pauses keeps its pace`() {
        var rates = rates(seconds: 20, solved: 4, taken: 6)
        for second in 21...400 { rates.heard(trainer, busy: 10, now: Double(second)) }
        #expect(rates.pace(of: trainer) == 12)
        rates.heard(rollout, busy: 0, now: 30)
        #expect(rates.pace(of: rollout) == nil)
        rates.did(10, by: rollout)
        rates.heard(rollout, busy: 1, now: 31)
        #expect(rates.pace(of: rollout) == 10)
    }
}
