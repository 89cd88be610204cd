/// The timestep shift of flow-matching models for pictures: s(t) = a·t / (1 + (a − 1)·t).
///
/// It fixes 0 and 1, and moves everything between towards noise when a > 1. Source: Esser et al. 2024,
/// "Scaling Rectified Flow Transformers", section 5.3.2.
package struct TimeShift: Sendable, Hashable {
    /// The shift a; 1 changes nothing, Stable Diffusion 3 uses 3.
    package let factor: Double

    /// A shift by `factor`, a positive finite number.
    package init(factor: Double) {
        precondition(factor > 0 && factor.isFinite, "a time shift is positive and finite, got \(factor)")
        self.factor = factor
    }

    /// The sigma of an unshifted time in `0 ... 1`.
    package func sigma(atTime time: Double) -> Double {
        factor * time / (1 + (factor - 1) * time)
    }

    /// The unshifted time of a sigma in `0 ... 1`: the inverse of ``sigma(atTime:)``.
    package func time(ofSigma sigma: Double) -> Double {
        sigma / (factor - (factor - 1) * sigma)
    }
}
