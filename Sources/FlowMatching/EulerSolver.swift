package import Tensors

/// Euler's method along a schedule: z ← z + (s[i + 1] − s[i]) · v(z, s[i]), in single precision.
///
/// A pure function of field, latents and steps: what it is given stays untouched, and solving in pieces gives
/// the same bits as solving at once.
package struct EulerSolver: Sendable, Hashable {
    package let schedule: SigmaSchedule

    package init(_ schedule: SigmaSchedule) { self.schedule = schedule }

    /// The latents after step `index`, which start at `schedule[index]`.
    package func step(_ index: Int, from latents: Tensor, in field: some VelocityField) -> Tensor {
        latents.adding(velocity(at: index, of: latents, in: field), scaledBy: schedule.width(ofStep: index))
    }

    /// The latents after all steps, from the first sigma to the last.
    package func solve(_ field: some VelocityField, from latents: Tensor) -> Tensor {
        solve(field, from: latents, over: 0..<schedule.stepCount)
    }

    /// The latents after a range of steps, starting at `schedule[steps.lowerBound]`.
    ///
    /// An empty range gives the latents themselves.
    package func solve(
        _ field: some VelocityField,
        from latents: Tensor,
        over steps: Range<Int>
    ) -> Tensor {
        guard !steps.isEmpty else { return latents }
        let state = latents.copied()
        for index in steps { advance(state, by: index, in: field) }
        return state
    }

    /// The states of a whole solve at given places along the schedule.
    ///
    /// - Parameter indices: ascending indices into the schedule's sigmas; 0 is the latents as given,
    ///   `stepCount` the end. The solve stops at the last of them.
    /// - Returns: one tensor an index, each with memory of its own.
    package func states(
        of field: some VelocityField,
        from latents: Tensor,
        at indices: [Int]
    ) -> [Tensor] {
        precondition(
            zip(indices, indices.dropFirst()).allSatisfy { $0 < $1 }
                && indices.allSatisfy { (0...schedule.stepCount).contains($0) },
            "states are asked for in order, within \(schedule.stepCount) steps, got \(indices)"
        )
        let state = latents.copied()
        var position = 0
        return indices.map { index in
            for step in position..<index { advance(state, by: step, in: field) }
            position = index
            return state.copied()
        }
    }

    /// Moves `state`, which nobody else sees yet, along step `index`.
    private func advance(_ state: Tensor, by index: Int, in field: some VelocityField) {
        state.accumulate(
            velocity(at: index, of: state, in: field),
            scaledBy: schedule.width(ofStep: index)
        )
    }

    private func velocity(at index: Int, of latents: Tensor, in field: some VelocityField) -> Tensor {
        let velocity = field.velocity(of: latents, at: schedule[index])
        precondition(
            velocity.shape == latents.shape,
            "a velocity of shape \(velocity.shape) for latents of shape \(latents.shape)"
        )
        return velocity
    }
}
