import FlowMatching
import Tensors

/// What consistency models have in common: along the teacher's guided trajectory, every state of a phase is to lead to
/// the same state at the phase's end.
///
/// With f(z, t) = z + (e − t) v(z, t), e being where the phase of t ends, the loss is the distance of f(z_t, t) from
/// f(z_s, s), which is held constant (θ⁻ = stopgrad θ, as LCM-LoRA and PCM train); z_s is one guided Euler step of the
/// teacher from z_t, and z_t clean latents with noise.
struct PhasedConsistency {
    let teaching: Teaching
    /// Where the pseudo-Huber distance turns from quadratic to absolute.
    let huber: Float

    /// A step of the teacher's grid and the guidance scale; the noise.
    static let randomNumbers = ObjectiveDraws.Need(uniforms: 2, noises: 1)

    /// What a part came to.
    struct Outcome {
        /// f(z_t, t) of the student.
        let prediction: Variable
        /// f(z_s, s), constant.
        let target: Tensor
        /// Noise levels where the samples' phases start.
        let starts: [Float]
        /// Where they end: the noise levels of prediction and target.
        let ends: [Float]
        let loss: Variable
    }

    /// - Parameter phases: how many the teacher's grid is cut into, a divisor of its steps.
    func callAsFunction(_ part: inout ObjectivePart, phases: Int, on tape: Tape) -> Outcome {
        let fine = teaching.grid.teacher
        let length = fine.stepCount / phases
        let steps = part.draws.uniforms[0].map { min(fine.stepCount - 1, Int($0 * Float(fine.stepCount))) }
        let (t, s) = (steps.map { fine[$0] }, steps.map { fine[$0 + 1] })
        let ends = steps.map { fine[($0 / length + 1) * length] }
        let noisy = part.batch.ends.noised(with: part.draws.noises[0], at: t)
        let velocity = part.guidedVelocity(
            of: teaching,
            at: noisy,
            t,
            scales: teaching.scales(part.draws.uniforms[1])
        )
        let solved = Tensor.step(from: noisy, by: zip(t, s).map { $1 - $0 }, along: velocity)
        let target = Tensor.step(
            from: solved,
            by: zip(s, ends).map { $1 - $0 },
            along: part.studentValue(at: solved, s)
        )
        let prediction = tape.step(
            from: noisy,
            by: zip(t, ends).map { $1 - $0 },
            along: part.studentVelocity(at: noisy, t, on: tape)
        )
        return Outcome(
            prediction: prediction,
            target: target,
            starts: steps.map { fine[$0 / length * length] },
            ends: ends,
            loss: tape.pseudoHuber(
                prediction,
                target: target,
                edge: huber,
                scale: part.meanScale(target.shape)
            )
        )
    }
}
