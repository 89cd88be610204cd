package import DiffusionModels
package import FlowMatching
package import Tensors

/// Latents from noise along a schedule, with or without guidance: the student's few steps and the teacher's many.
package struct FewStepSampler: Sendable {
    package let network: VelocityTransformer
    package let schedule: SigmaSchedule
    /// 1 is no guidance and one evaluation a step.
    package let guidanceScale: Float

    package init(_ network: VelocityTransformer, schedule: SigmaSchedule, guidanceScale: Float) {
        self.network = network
        self.schedule = schedule
        self.guidanceScale = guidanceScale
    }

    /// Network evaluations a sample takes.
    package var evaluations: Int {
        schedule.stepCount * Guidance(scale: guidanceScale, sampleCount: 1).evaluationsPerStep
    }

    /// Solves from `noise`, `[samples, channels, height, width]`.
    package func sample(
        from noise: Tensor,
        conditional: EncodedText,
        unconditional: EncodedText,
        pool: LanePool
    ) -> Tensor {
        let result = Tensor.zeros(noise.shape)
        let guidance = Guidance(scale: guidanceScale, sampleCount: 1)
        let pieces = network.samplesAtOnce(
            conditional,
            for: .inference,
            evaluations: guidance.evaluationsPerStep
        )
        pool.forEachShare(of: noise.shape[0], inPiecesOf: pieces) { lane, range in
            let field = GuidedVelocity(
                network,
                guidance: Guidance(scale: guidanceScale, sampleCount: range.count),
                conditional: conditional.rows(range),
                unconditional: unconditional,
                tape: lane.tape
            )
            let solved = EulerSolver(schedule).solve(field, from: noise.rows(range))
            result.rows(range).copy(from: solved)
        }
        return result
    }
}
