import Testing

@testable import ZeroMQ

@Suite struct LimitTests {
    // MARK: Rates

    /// What becomes of messages of these peers at these milliseconds.
    private func heard(_ limit: RateLimit, _ messages: [(peer: Int, milliseconds: Int)]) -> [Bool] {
        var rates = PeerRates(limit: limit)
        let start = ContinuousClock.now
        return messages.map { peer, milliseconds in
            let id = RoutingID([UInt8(truncatingIfNeeded: peer), UInt8(truncatingIfNeeded: peer >> 8)])
            return rates.admits(.connection(id), now: start + .milliseconds(milliseconds))
        }
    }

    @Test func `a burst is heard, then as many as the rate allows`() {
        let limit = RateLimit(perSecond: 10, burst: 3)
        #expect(
            heard(limit, [(1, 0), (1, 0), (1, 0), (1, 0), (2, 0), (1, 50), (1, 151), (1, 151)])
                == [true, true, true, false, true, false, true, false]
        )
    }

    @Test func `peers that are silent are forgotten, and more than can be remembered are not heard`() {
        let limit = RateLimit(perSecond: 10, burst: 2)
        let crowd = (0..<PeerRates.peerLimit).map { (peer: $0, milliseconds: 0) }
        let verdicts = heard(limit, crowd + [(peer: -1, milliseconds: 0), (peer: -1, milliseconds: 1000)])
        #expect(verdicts == crowd.map { _ in true } + [false, true])
    }

    // MARK: Connections

    /// What a connection that was opened a moment ago is found to be, look by look.
    private func looks(
        _ received: [UInt64?],
        finishing: Set<Int> = [],
        pausedAt: Set<Int> = []
    ) -> [Bool] {
        var connections = OpenConnections(limit: ConnectionLimit(count: 2, unfinishedByteCount: 100))
        _ = connections.opened(5)
        return received.enumerated().map { look, received in
            if finishing.contains(look) { connections.finishedMessage(5, from: nil) }
            let endless = connections.takeEndless(isReading: !pausedAt.contains(look)) { _ in received }
            return endless == [5]
        }
    }

    @Test func `one connection too many is not taken until another ends`() {
        var connections = OpenConnections(limit: ConnectionLimit(count: 2, unfinishedByteCount: 100))
        let taken = [5, 6, 7].map { connections.opened($0) }
        connections.ended(5)
        let takenLater = connections.opened(7)
        #expect(taken == [true, true, false])
        #expect(takenLater)
        #expect(connections.count == 2)
    }

    @Test func `whole messages may add up to anything, an unfinished one may not`() {
        #expect(
            looks([90, 180, 270, 370, 371], finishing: [0, 1, 2]) == [false, false, false, false, true]
        )
    }

    @Test func `what piles up while the socket is not read is nobody's fault`() {
        #expect(looks([1000, 1100, 1101], pausedAt: [0]) == [false, false, true])
    }

    @Test func `a connection nobody can measure is let be`() {
        #expect(looks([nil, nil]) == [false, false])
    }
}
