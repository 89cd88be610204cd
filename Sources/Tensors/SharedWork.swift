extension Tape {
    /// Threads that ``share(_:_:)`` spreads work over.
    var workers: Int { helpers?.lanes.count ?? 1 }

    /// Runs `body` over all of `0 ..< count`, in one piece or, while other lanes are idle, in one share a lane.
    ///
    /// `body` is given the number of its worker, below ``workers``; it must not allocate on the tape.
    func share(_ count: Int, _ body: (Int, Range<Int>) -> Void) {
        guard let helpers, count > 1 else { return body(0, 0..<count) }
        helpers.run { lane in
            let range = lane.share(of: count, among: helpers.lanes.count)
            if !range.isEmpty { body(lane.index, range) }
        }
    }

    /// Like ``share(_:_:)`` over elements, in pieces that start at multiples of a vector.
    func shareElements(_ count: Int, _ body: (Range<Int>) -> Void) {
        let piece = 64
        share((count + piece - 1) / piece) { _, range in
            body(range.lowerBound * piece..<min(range.upperBound * piece, count))
        }
    }

    /// Like ``share(_:_:)`` over the rows of samples: whole samples, or rows of the only one.
    ///
    /// - Parameter splitsSample: false where a sample's rows are summed into one buffer.
    func shareRows(
        _ rows: Int,
        perSample: Int,
        splitsSample: Bool = true,
        _ body: (_ rows: Range<Int>, _ firstSample: Int) -> Void
    ) {
        if rows == perSample {
            guard splitsSample else { return body(0..<rows, 0) }
            share(rows) { _, range in body(range, 0) }
        } else {
            share(rows / perSample) { _, samples in
                body(samples.lowerBound * perSample..<samples.upperBound * perSample, samples.lowerBound)
            }
        }
    }
}
