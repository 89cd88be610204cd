import ClusterMessages
import Testing

@testable import Coordination

@Suite struct CreditsTests {
    let node = NodeID(1)
    let limit = CreditWindow(batches: 4, byteCount: 1000)

    @Test func `a node that opened no window admits nothing`() {
        #expect(!Credits().admits(0, to: node, beside: Load()))
    }

    @Test func `a window stated below zero is closed`() {
        #expect(CreditWindow(batches: -3, byteCount: -1) == .closed)
    }

    @Test func `a window is cut to the limit`() {
        var credits = Credits()
        credits.open(CreditWindow(batches: .max, byteCount: .max), for: node, limit: limit)
        #expect(credits.window(of: node) == limit)
    }

    @Test func `stating a window twice grants no more than stating it once`() {
        var credits = Credits()
        for _ in 0..<2 { credits.open(CreditWindow(batches: 1, byteCount: 10), for: node, limit: limit) }
        #expect(credits.admits(10, to: node, beside: Load()))
        #expect(!credits.admits(0, to: node, beside: Load(batches: 1, byteCount: 0)))
    }

    @Test(arguments: [(0, 100, true), (1, 50, true), (1, 51, false), (2, 0, false)])
    func `batches and bytes both must fit`(batches: Int, byteCount: Int, fits: Bool) {
        var credits = Credits()
        credits.open(CreditWindow(batches: 2, byteCount: 100), for: node, limit: limit)
        #expect(
            credits.admits(byteCount, to: node, beside: Load(batches: batches, byteCount: 50 * batches))
                == fits
        )
    }

    @Test func `a closed window stays closed until it is stated again`() {
        var credits = Credits()
        credits.open(limit, for: node, limit: limit)
        credits.close(node)
        #expect(credits.window(of: node) == .closed)
    }
}

@Suite struct LeaseTermsTests {
    let node = NodeID(1)

    @Test func `the first lease of a node has the floor`() {
        #expect(LeaseTerms(floor: .seconds(30), factor: 3).term(on: node) == .seconds(30))
    }

    @Test func `the term is a multiple of the 95th percentile and forgets the distant past`() {
        var terms = LeaseTerms(floor: .seconds(1), factor: 3)
        for duration in 1...20 { terms.record(.seconds(duration), on: node) }
        #expect(terms.term(on: node) == .seconds(3 * 19))
        for _ in 0..<32 { terms.record(.seconds(2), on: node) }
        #expect(terms.term(on: node) == .seconds(6))
    }

    @Test func `a fast node's lease is not shorter than the floor, and a new process starts from it`() {
        var terms = LeaseTerms(floor: .seconds(30), factor: 3)
        terms.record(.seconds(100), on: node)
        #expect(terms.term(on: node) == .seconds(300))
        terms.forget(node)
        terms.record(.milliseconds(5), on: node)
        #expect(terms.term(on: node) == .seconds(30))
    }
}
