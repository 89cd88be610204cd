import Testing

@testable import Coordination

@Suite struct InstantTests {
    @Test func `a moment moves by a duration to the nanosecond`() {
        let moment = Instant.zero + .milliseconds(1500) + .nanoseconds(7)
        #expect(moment.nanoseconds == 1_500_000_007)
        #expect(moment.duration(to: .zero) == .nanoseconds(-1_500_000_007))
        #expect(Instant.zero < moment)
    }
}
