package import DiffusionModels
package import FlowMatching
package import Tensors

/// Latents from noise along a schedule, with or without guidance: the student's few steps and the teacher's many.
package struct FewStepSampler: Sendable {
    package let network: VelocityTransformer
    package let schedule: SigmaSchedule
    /// 1 is no guidance and one evaluation a step.
    package let guidanceScale: Float
    /// Solves for the samples of a field.
    private let solver: Solver

    private enum Solver: Sendable {
        case euler
        case jumps(ends: [Float])
    }

    package init(_ network: VelocityTransformer, schedule: SigmaSchedule, guidanceScale: Float) {
        self.network = network
        self.schedule = schedule
        self.guidanceScale = guidanceScale
        solver = .euler
    }

    /// A student's own way.
    ///
    /// - Parameters:
    ///   - kind: of the schedule, and of that whose steps are the segments of jumps.
    ///   - shift: the model's timestep shift.
    package init(
        student network: VelocityTransformer,
        _ sampling: StudentSampling,
        kind: ScheduleKind,
        steps: Int,
        shift: Double
    ) {
        self.network = network
        schedule = SigmaSchedule(kind: kind, stepCount: steps, shift: shift)
        guidanceScale = sampling.guidance
        switch sampling.rule {
        case .euler: solver = .euler
        case .jumps(let segments):
            let edges = SigmaSchedule(kind: kind, stepCount: segments, shift: shift)
            solver = .jumps(ends: (1...segments).map { edges[$0] })
        }
    }

    private func solve(_ field: some VelocityField, from noise: Tensor) -> Tensor {
        switch solver {
        case .euler: EulerSolver(schedule).solve(field, from: noise)
        case .jumps(let ends): JumpSolver(schedule: schedule, ends: ends).solve(field, from: noise)
        }
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
            result.rows(range).copy(from: solve(field, from: noise.rows(range)))
        }
        return result
    }
}
