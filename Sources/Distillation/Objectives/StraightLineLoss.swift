import Tensors

/// The velocity a student gives for states on the straight lines of segments, and its loss.
struct StraightLineLoss {
    /// L_dist = mean (v_S(z_t, t) − v*)² (PeRFlow §3; FlowSteer §3.1).
    let loss: Variable
    /// v_S(z_a, a), where the student was asked at the segments' starts; else nil.
    let velocityAtStart: Variable?

    /// - Parameter places: u in (0, 1], one a sample, where in its segment the student is asked: t = b + (a − b) u;
    ///   nil for the start.
    init(_ part: inout ObjectivePart, places: [Float]?, on tape: Tape) {
        let target = SegmentTarget(part.batch)
        let velocity: Variable
        if let places {
            let sigmas = target.sigmas(at: places)
            velocity = part.studentVelocity(at: target.states(at: sigmas), sigmas, on: tape)
        } else {
            velocity = part.studentVelocity(at: part.batch.starts, part.batch.startSigmas, on: tape)
        }
        loss = tape.squaredError(
            velocity,
            target: target.velocity,
            scale: part.meanScale(target.velocity.shape)
        )
        velocityAtStart = places == nil ? velocity : nil
    }
}
