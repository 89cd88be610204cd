import FlowMatching
import Testing

struct SigmaScheduleTests {
    /// Sigmas of `FlowMatchEulerDiscreteScheduler(shift=3).set_timesteps(N)`, six digits.
    static let stockTables: [[Double]] = [
        [1, 0],
        [1, 0.008929, 0],
        [1, 0.857692, 0.602151, 0.008929, 0],
        [1, 0.947543, 0.882788, 0.800837, 0.693793, 0.548046, 0.337972, 0.008929, 0],
        [
            1, 0.981875, 0.962386, 0.941373, 0.918652, 0.894003, 0.867172, 0.837855, 0.805689, 0.770239,
            0.730974,
            0.687244, 0.638240, 0.582948, 0.520074, 0.447944, 0.364352, 0.266330, 0.149787, 0.008929, 0,
        ],
        [
            1, 0.987381, 0.974108, 0.960129, 0.945387, 0.929818, 0.913349, 0.895900, 0.877382, 0.857692,
            0.836717,
            0.814325, 0.790368, 0.764677, 0.737056, 0.707278, 0.675082, 0.640160, 0.602151, 0.560625,
            0.515072,
            0.464876, 0.409289, 0.347393, 0.278049, 0.199827, 0.110906, 0.008929, 0,
        ],
    ]

    /// The same scheduler given `sigmas=linspace(1, 1/N, N)`.
    static let rectifiedTables: [[Double]] = [
        [1, 0],
        [1, 0.75, 0],
        [1, 0.9, 0.75, 0.5, 0],
        [1, 0.954545, 0.9, 0.833333, 0.75, 0.642857, 0.5, 0.3, 0],
        [
            1, 0.982759, 0.964286, 0.944444, 0.923077, 0.9, 0.875, 0.847826, 0.818182, 0.785714, 0.75,
            0.710526,
            0.666667, 0.617647, 0.5625, 0.5, 0.428571, 0.346154, 0.25, 0.136364, 0,
        ],
        [
            1, 0.987805, 0.975, 0.961538, 0.947368, 0.932432, 0.916667, 0.9, 0.882353, 0.863636, 0.84375,
            0.822581,
            0.8, 0.775862, 0.75, 0.722222, 0.692308, 0.66, 0.625, 0.586957, 0.545455, 0.5, 0.45, 0.394737,
            0.333333,
            0.264706, 0.1875, 0.1, 0,
        ],
    ]

    @Test(arguments: stockTables)
    func `the stock schedule is that of diffusers`(table: [Double]) {
        expect(SigmaSchedule.stock(stepCount: table.count - 1, shift: 3), equals: table, within: 1e-6)
    }

    @Test(arguments: rectifiedTables)
    func `the rectified schedule shifts an even grid once`(table: [Double]) {
        expect(SigmaSchedule.rectified(stepCount: table.count - 1, shift: 3), equals: table, within: 1e-6)
    }

    @Test
    func `with a shift of one both schedules are even`() {
        expect(.stock(stepCount: 4, shift: 1), equals: [1, 0.667, 0.334, 0.001, 0], within: 1e-12)
        expect(.rectified(stepCount: 4, shift: 1), equals: [1, 0.75, 0.5, 0.25, 0], within: 0)
    }

    @Test(
        arguments: zip(
            [1, 1.5, 2, 3, 4, 5, 6, 7],
            [1e-3, 2.247e-3, 3.988e-3, 8.929e-3, 0.015764, 0.024414, 0.034783, 0.046756]
        )
    )
    func `the stock schedule's last step starts at the twice shifted smallest time`(
        shift: Double,
        tabulated: Double
    ) {
        for stepCount in [2, 3, 7, 28] {
            let schedule = SigmaSchedule.stock(stepCount: stepCount, shift: shift)
            let closedForm = shift * shift / (1000 + shift * shift - 1)
            #expect(abs(schedule.sigmas[stepCount - 1] - closedForm) < 1e-15)
            #expect(abs(schedule.sigmas[stepCount - 1] - tabulated) < 1e-6)
        }
    }

    @Test
    func `the stock schedule reads how many timesteps the model was trained with`() {
        let schedule = SigmaSchedule.stock(stepCount: 2, shift: 3, trainTimestepCount: 100)
        expect(schedule, equals: [1, 9.0 / 108, 0], within: 1e-15)
    }

    @Test(arguments: [1, 1.15, 2.7, 3, 11])
    func `the rectified schedule follows its closed form`(shift: Double) {
        for stepCount in [1, 3, 10, 33] {
            let closedForm = (0...stepCount).map { index in
                let left = Double(stepCount - index)
                return shift * left / (Double(stepCount) + (shift - 1) * left)
            }
            expect(.rectified(stepCount: stepCount, shift: shift), equals: closedForm, within: 1e-15)
        }
    }

    @Test(arguments: [1, 1.15, 3, 7.3])
    func `a coarse rectified schedule nests in a fine one bit for bit`(shift: Double) {
        for (coarse, factor) in [(4, 8), (4, 2), (5, 7), (3, 11)] {
            let fine = SigmaSchedule.rectified(stepCount: coarse * factor, shift: shift)
            let nested = (0...coarse).map { fine.sigmas[$0 * factor] }
            #expect(nested == SigmaSchedule.rectified(stepCount: coarse, shift: shift).sigmas)
        }
    }

    @Test
    func `stock schedules do not nest`() {
        let fine = SigmaSchedule.stock(stepCount: 32, shift: 3)
        let nested = [0, 8, 16, 24, 32].map { fine.sigmas[$0] }
        #expect(zip(nested, [1, 0.896479, 0.738900, 0.469956, 0]).allSatisfy { abs($0 - $1) < 1e-6 })
        #expect(nested != SigmaSchedule.stock(stepCount: 4, shift: 3).sigmas)
    }

    @Test
    func `a schedule is read as single precision numbers and signed widths`() {
        let schedule = SigmaSchedule(kind: .rectified, stepCount: 4, shift: 3)
        #expect((0...4).map { schedule[$0] } == [1, 0.9, 0.75, 0.5, 0])
        #expect((0..<4).map { schedule.width(ofStep: $0) } == [-0.1, -0.15, -0.25, -0.5])
        #expect(SigmaSchedule(kind: .stock, stepCount: 4, shift: 3) == .stock(stepCount: 4, shift: 3))
    }

    @Test
    func `the time shift undoes itself`() {
        let shift = TimeShift(factor: 3)
        #expect([0, 1].map(shift.sigma(atTime:)) == [0, 1])
        for time in [0.001, 0.25, 0.5, 0.9] {
            #expect(abs(shift.time(ofSigma: shift.sigma(atTime: time)) - time) < 1e-15)
            let twice = shift.sigma(atTime: shift.sigma(atTime: time))
            #expect(abs(TimeShift(factor: 9).sigma(atTime: time) - twice) < 1e-15)
        }
    }

    @Test
    func `a schedule of one's own is kept as it is`() throws {
        let sigmas = [0.9, 0.31, 0.05]
        #expect(try SigmaSchedule.custom(sigmas).sigmas == sigmas)
    }

    @Test(arguments: [
        ([], FlowMatchingError.tooFewSigmas(count: 0)),
        ([1], .tooFewSigmas(count: 1)),
        ([1, 0.5, 0.5, 0], .sigmasNotDecreasing(index: 2, value: 0.5, previous: 0.5)),
        ([1, 0.5, 0.6, 0], .sigmasNotDecreasing(index: 2, value: 0.6, previous: 0.5)),
        ([1000, 500, 0], .sigmaOutOfRange(index: 0, value: 1000)),
        ([1, 0.5, -0.1], .sigmaOutOfRange(index: 2, value: -0.1)),
    ])
    func `a schedule of one's own must decrease from one to zero`(sigmas: [Double], error: FlowMatchingError)
    {
        #expect(throws: error) { try SigmaSchedule.custom(sigmas) }
    }

    @Test
    func `a sigma that is not a number is refused`() {
        #expect(throws: FlowMatchingError.self) { try SigmaSchedule.custom([1, .nan, 0]) }
    }

    private func expect(
        _ schedule: SigmaSchedule,
        equals expected: [Double],
        within tolerance: Double,
        at location: SourceLocation = #_sourceLocation
    ) {
        let difference = zip(schedule.sigmas, expected).map { abs($0 - $1) }.max()
        #expect(schedule.sigmas.count == expected.count, sourceLocation: location)
        #expect((difference ?? .infinity) <= tolerance, "\(schedule.sigmas)", sourceLocation: location)
    }
}
