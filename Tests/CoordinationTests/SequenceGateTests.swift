import Testing

@testable import Coordination

@Suite struct SequenceGateTests {
    @Test func `numbers that follow each other pass once`() {
        var gate = SequenceGate(after: 7)
        #expect(gate.admit(8) == .next)
        #expect(gate.admit(9) == .next)
        #expect(gate.admit(9) == .repeated)
        #expect(gate.admit(3) == .repeated)
    }

    @Test func `after a gap nothing passes but what was missing`() {
        var gate = SequenceGate(after: 7)
        #expect(gate.admit(9) == .gap)
        #expect(gate.admit(10) == .gap)
        #expect(gate.admit(8) == .next)
    }

    @Test func `the last number there is does not trap`() {
        var gate = SequenceGate(after: .max)
        #expect(gate.admit(.max) == .repeated)
    }
}
