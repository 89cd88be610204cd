/// The noise levels between which a segment runs, the higher one first.
package struct SegmentSpan: Sendable, Equatable {
    package let start: Float
    package let end: Float

    package init(start: Float, end: Float) {
        self.start = start
        self.end = end
    }
}
