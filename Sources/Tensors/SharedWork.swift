extension Tape {
    /// Runs `body` over all of `0 ..< count`: in one piece or, while other lanes have nothing to do, in parts
    /// that they take too.
    ///
    /// - Parameters:
    ///   - least: so much is worth a part of its own, some ten microseconds of work.
    ///   - body: given the arena of the lane that computes the part, for its workspace; it must not allocate on
    ///     the tape.
    func share(_ count: Int, least: Int, _ body: (Arena, Range<Int>) -> Void) {
        guard let helpers, count >= 2 * least else { return body(arena, 0..<count) }
        let idle = helpers.idleLanes
        guard idle > 0 else { return body(arena, 0..<count) }
        // More parts than lanes, as none of them is sure to run at full speed.
        helpers.share(count, parts: min(2 * (idle + 1), count / least), arena: arena, body)
    }

    /// Like ``share(_:least:_:)`` over elements, in pieces that start at multiples of a vector.
    func shareElements(_ count: Int, _ body: (Range<Int>) -> Void) {
        let piece = 64
        share((count + piece - 1) / piece, least: leastElements / piece) { _, range in
            body(range.lowerBound * piece..<min(range.upperBound * piece, count))
        }
    }

    /// Like ``share(_:least:_:)`` over the rows of samples: whole samples, or rows of the only one.
    ///
    /// - Parameters:
    ///   - width: elements of a row.
    ///   - splitsSample: false where a sample's rows are summed into one buffer.
    func shareRows(
        _ rows: Int,
        perSample: Int,
        width: Int,
        splitsSample: Bool = true,
        _ body: (_ rows: Range<Int>, _ firstSample: Int) -> Void
    ) {
        let leastRows = (leastElements + width - 1) / width
        if rows == perSample {
            guard splitsSample else { return body(0..<rows, 0) }
            share(rows, least: leastRows) { _, range in body(range, 0) }
        } else {
            share(rows / perSample, least: (leastRows + perSample - 1) / perSample) { _, samples in
                body(samples.lowerBound * perSample..<samples.upperBound * perSample, samples.lowerBound)
            }
        }
    }
}

/// Elements worth a part of their own where little is done to each.
private let leastElements = 1 << 15
