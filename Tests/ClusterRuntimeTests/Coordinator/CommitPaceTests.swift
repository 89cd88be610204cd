import Coordination
import Testing

@testable import ClusterRuntime

/// The time left is what rounds took up to now, less what the open one has been at work.
@Suite struct CommitPaceTests {
    @Test func `time left falls within a round, down to what the rounds after it take`() {
        var pace = CommitPace()
        #expect(pace.secondsLeft(6, at: .zero + .seconds(50)) == nil, "nobody knows before the first commit")
        pace.committed(at: .zero + .seconds(80))
        pace.committed(at: .zero + .seconds(120))
        #expect(pace.secondsLeft(4, at: .zero + .seconds(120)) == 240)
        #expect(pace.secondsLeft(4, at: .zero + .seconds(150)) == 210)
        #expect(pace.secondsLeft(4, at: .zero + .seconds(180)) == 180)
        #expect(pace.secondsLeft(4, at: .zero + .seconds(900)) == 180)
    }
}
