/// The noise levels an ODE solver visits, from noise (1) down to data (0).
///
/// N steps have N + 1 sigmas, strictly decreasing. Time and sigma are one here: z_t = (1 − t)·x₀ + t·ε.
/// Sigmas are held in double precision, so that a coarse grid nests bit for bit in a fine one, and are read
/// as `Float`.
package struct SigmaSchedule: Sendable, Hashable {
    /// All N + 1 sigmas, strictly decreasing within `0 ... 1`.
    package let sigmas: [Double]

    /// Sigmas that are known to decrease; outside this module ``custom(_:)`` checks first.
    init(decreasing sigmas: [Double]) {
        precondition(
            sigmas.count >= 2 && zip(sigmas, sigmas.dropFirst()).allSatisfy { $0 > $1 },
            "a schedule decreases at every step, got \(sigmas)"
        )
        self.sigmas = sigmas
    }

    /// Number of solver steps N.
    package var stepCount: Int { sigmas.count - 1 }

    /// The sigma where step `index` starts; `index == stepCount` is the last sigma.
    package subscript(index: Int) -> Float { Float(sigmas[index]) }

    /// The signed width s[i + 1] − s[i] of step `index`: negative, as the solver walks from noise to data.
    package func width(ofStep index: Int) -> Float { Float(sigmas[index + 1] - sigmas[index]) }
}

// MARK: - Laying out sigmas

extension SigmaSchedule {
    /// The schedule of `kind` with `stepCount` steps.
    ///
    /// - Parameters:
    ///   - stepCount: N, at least 1.
    ///   - shift: the model's timestep shift, positive.
    ///   - trainTimestepCount: the discrete steps of the model's training; only the stock schedule reads it.
    package init(kind: ScheduleKind, stepCount: Int, shift: Double, trainTimestepCount: Int = 1000) {
        switch kind {
        case .rectified:
            self = .rectified(stepCount: stepCount, shift: shift)
        case .stock:
            self = .stock(stepCount: stepCount, shift: shift, trainTimestepCount: trainTimestepCount)
        }
    }

    /// The rectified schedule: sᵢ = shift(1 − i/N), i from 0 to N.
    ///
    /// It contains zero, so nothing is appended, and `rectified(K)` is every M-th entry of `rectified(K ·
    /// M)`, bit for bit. In diffusers it is the stock scheduler given `sigmas = linspace(1, 1/N, N)`.
    package static func rectified(stepCount: Int, shift: Double) -> SigmaSchedule {
        precondition(stepCount >= 1, "a schedule has at least one step, got \(stepCount)")
        let shift = TimeShift(factor: shift)
        // Equal fractions round to equal quotients: that is why grids nest exactly, whatever the shift.
        let times = (0...stepCount).map { Double(stepCount - $0) / Double(stepCount) }
        return SigmaSchedule(decreasing: times.map(shift.sigma(atTime:)))
    }

    /// The stock schedule of diffusers' `FlowMatchEulerDiscreteScheduler`, with its double shift.
    ///
    /// Its `set_timesteps` spaces N times evenly from 1 to a smallest sigma that is already shifted, a / (T +
    /// a − 1), shifts them again and appends zero. For two steps or more the last step therefore starts at a²
    /// / (T + a² − 1), .0089 when a is 3 and T is 1000, and does next to nothing.
    package static func stock(
        stepCount: Int,
        shift: Double,
        trainTimestepCount: Int = 1000
    ) -> SigmaSchedule {
        let shift = TimeShift(factor: shift)
        let times = stockTimes(stepCount: stepCount, shift: shift, trainTimestepCount: trainTimestepCount)
        return SigmaSchedule(decreasing: times.map(shift.sigma(atTime:)))
    }

    /// Unshifted times of the stock schedule, N + 1 of them, the last zero.
    static func stockTimes(stepCount: Int, shift: TimeShift, trainTimestepCount: Int) -> [Double] {
        precondition(stepCount >= 1, "a schedule has at least one step, got \(stepCount)")
        precondition(
            trainTimestepCount >= 2,
            "a model is trained with two timesteps or more, got \(trainTimestepCount)"
        )
        let last = shift.sigma(atTime: 1 / Double(trainTimestepCount))
        let intervals = Double(max(1, stepCount - 1))
        return (0..<stepCount).map { 1 - (1 - last) * Double($0) / intervals } + [0]
    }

    /// A schedule given sigma by sigma, as a checkpoint or a person states it.
    ///
    /// - Parameter sigmas: all N + 1 values, the final one included; nothing is appended.
    /// - Throws: when they are not at least two finite numbers in `0 ... 1`, each below the one before.
    package static func custom(_ sigmas: [Double]) throws(FlowMatchingError) -> SigmaSchedule {
        guard sigmas.count >= 2 else { throw .tooFewSigmas(count: sigmas.count) }
        for (index, sigma) in sigmas.enumerated() {
            guard sigma >= 0 && sigma <= 1 else { throw .sigmaOutOfRange(index: index, value: sigma) }
            if index > 0 && sigma >= sigmas[index - 1] {
                throw .sigmasNotDecreasing(index: index, value: sigma, previous: sigmas[index - 1])
            }
        }
        return SigmaSchedule(decreasing: sigmas)
    }
}
