/// The K segments a student crosses in one step each, and the M teacher steps inside every one of them.
///
/// Segment 0 starts at pure noise, segment K − 1 ends at data. Teacher step i belongs to segment i / M, so
/// one teacher solve passes every edge of the student's grid.
package struct SegmentGrid: Sendable, Hashable {
    package let kind: ScheduleKind
    /// M, the teacher's steps inside a segment.
    package let stepsPerSegment: Int
    /// The student's schedule: K + 1 edges.
    package let edges: SigmaSchedule
    /// The teacher's schedule: K·M steps, whose every M-th sigma is an edge, bit for bit.
    package let teacher: SigmaSchedule

    /// A grid of `segmentCount` segments of `stepsPerSegment` teacher steps.
    ///
    /// - Rectified: the teacher walks the rectified schedule of K·M steps, in which that of K steps nests.
    /// - Stock: coarse and fine stock schedules do not nest, so the edges are the stock schedule of K steps
    ///   and each segment is divided evenly in unshifted time.
    package init(
        kind: ScheduleKind,
        segmentCount: Int,
        stepsPerSegment: Int,
        shift: Double,
        trainTimestepCount: Int = 1000
    ) {
        precondition(
            segmentCount >= 1 && stepsPerSegment >= 1,
            "a grid has segments of steps, got \(segmentCount) of \(stepsPerSegment)"
        )
        self.kind = kind
        self.stepsPerSegment = stepsPerSegment
        edges = SigmaSchedule(
            kind: kind,
            stepCount: segmentCount,
            shift: shift,
            trainTimestepCount: trainTimestepCount
        )
        switch kind {
        case .rectified:
            teacher = .rectified(stepCount: segmentCount * stepsPerSegment, shift: shift)
        case .stock:
            let shift = TimeShift(factor: shift)
            let times = SigmaSchedule.stockTimes(
                stepCount: segmentCount,
                shift: shift,
                trainTimestepCount: trainTimestepCount
            )
            teacher = SigmaSchedule(
                decreasing: Self.divided(times, into: stepsPerSegment).map(shift.sigma(atTime:))
            )
        }
    }

    /// Every interval of `times` cut into `parts` of equal width; the given times stay as they are.
    private static func divided(_ times: [Double], into parts: Int) -> [Double] {
        let inner = zip(times, times.dropFirst()).flatMap { start, end in
            (0..<parts).map { start + (end - start) * Double($0) / Double(parts) }
        }
        return inner + times.suffix(1)
    }
}

extension SegmentGrid {
    /// K.
    package var segmentCount: Int { edges.stepCount }

    /// The sigma where segment `segment` starts: 1 for segment 0.
    package func start(of segment: Int) -> Float { edges[segment] }

    /// The sigma where segment `segment` ends: 0 for the last.
    package func end(of segment: Int) -> Float { edges[segment + 1] }

    /// The signed width end − start: the length of the student's step, negative.
    package func width(of segment: Int) -> Float { edges.width(ofStep: segment) }

    /// The teacher's steps inside a segment.
    package func steps(of segment: Int) -> Range<Int> {
        precondition(segment >= 0 && segment < segmentCount, "segment \(segment) of \(segmentCount)")
        return segment * stepsPerSegment..<(segment + 1) * stepsPerSegment
    }

    /// The teacher's steps from noise to the start of a segment: the pre-roll of online trajectory alignment.
    package func steps(before segment: Int) -> Range<Int> { 0..<steps(of: segment).lowerBound }

    /// Indices into the teacher's sigmas at which the K + 1 edges stand: 0, M, 2M, …, K·M.
    package var edgeIndices: [Int] { (0...segmentCount).map { $0 * stepsPerSegment } }
}
