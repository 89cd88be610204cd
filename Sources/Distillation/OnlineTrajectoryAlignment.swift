package import DiffusionModels
package import FlowMatching
package import Tensors

/// Online Trajectory Alignment (FlowSteer §3.1): segments start where the guided teacher itself arrives.
///
/// A batch of trajectories is a pure function of teacher, settings, seed and samples: whoever solves it gets the
/// same states.
package struct OnlineTrajectoryAlignment: Sendable {
    package let settings: TrajectorySettings
    package let grid: SegmentGrid
    package let seed: UInt64
    private let segmentProbabilities: [Float]

    /// - Parameter segmentProbabilities: for `reuse: segment`, which draws one segment a batch.
    package init(
        _ settings: TrajectorySettings,
        segmentProbabilities: [Float],
        shift: Double,
        seed: UInt64
    ) {
        self.settings = settings
        self.segmentProbabilities = segmentProbabilities
        self.seed = seed
        grid = SegmentGrid(
            kind: settings.schedule,
            segmentCount: settings.segments,
            stepsPerSegment: settings.stepsPerSegment,
            shift: shift
        )
    }

    /// The segments a batch of samples holds: all, or one drawn from the first sample's identity.
    package func segments(for samples: [PromptSample]) -> [Int] {
        guard settings.reuse == .segment, let first = samples.first else {
            return Array(0..<grid.segmentCount)
        }
        var stream = RandomStream(
            key: seed ^ 0x5e67_6d65_6e74,
            stream: first.promptID << 16 | UInt64(first.sample)
        )
        return [categorical(segmentProbabilities, stream.nextUniform())]
    }

    /// Network evaluations a sample costs on average over `segments`, both halves counted.
    package func evaluations(for segments: [Int], guidance: Guidance) -> Int {
        let perStep = guidance.evaluationsPerStep
        let last = segments.last.map { grid.steps(of: $0).upperBound } ?? 0
        if settings.onlineAlignment { return last * perStep }
        return (grid.teacher.stepCount + segments.count * grid.stepsPerSegment) * perStep
    }

    /// Solves the trajectories of `samples`.
    ///
    /// - Parameters:
    ///   - conditional: the samples' encoded prompts.
    ///   - unconditional: the encoded negative prompt.
    ///   - shape: of one latent, `[channels, height, width]`.
    ///   - pool: lanes that share the samples.
    package func rollOut(
        _ samples: [PromptSample],
        conditional: EncodedText,
        unconditional: EncodedText,
        teacher: VelocityTransformer,
        latentShape shape: [Int],
        pool: LanePool
    ) -> TrajectoryBatch {
        let segments = segments(for: samples)
        let times = settings.onlineAlignment ? segments.count + 1 : 2 * segments.count
        let states = Tensor.zeros([times, samples.count] + shape)
        let pieces = teacher.samplesAtOnce(unconditional, for: .inference, evaluations: 2)
        pool.forEachShare(of: samples.count, inPiecesOf: pieces) { lane, range in
            let solved = solve(
                Array(samples[range]),
                segments: segments,
                conditional: conditional.rows(range),
                unconditional: unconditional,
                teacher: teacher,
                latentShape: shape,
                tape: lane.tape
            )
            for (time, state) in solved.enumerated() { states.row(time).rows(range).copy(from: state) }
        }
        return TrajectoryBatch(segments: segments, states: states, isChained: settings.onlineAlignment)
    }

    /// The states of a few samples, one tensor a time.
    private func solve(
        _ samples: [PromptSample],
        segments: [Int],
        conditional: EncodedText,
        unconditional: EncodedText,
        teacher: VelocityTransformer,
        latentShape shape: [Int],
        tape: Tape
    ) -> [Tensor] {
        let field = GuidedVelocity(
            teacher,
            guidance: Guidance(scales: samples.map { $0.guidance(in: settings.guidance, seed: seed) }),
            conditional: conditional,
            unconditional: unconditional,
            tape: tape
        )
        let noise = Tensor.stacked(samples.map { $0.noise(shape, seed: seed) })
        return settings.onlineAlignment
            ? aligned(field, from: noise, segments: segments)
            : interpolated(field, from: noise, samples: samples, segments: segments)
    }

    /// One solve; the states at the edges of the segments.
    private func aligned(_ field: GuidedVelocity, from noise: Tensor, segments: [Int]) -> [Tensor] {
        let edges = segments.map { grid.steps(of: $0).lowerBound }
        let last = segments.last.map { grid.steps(of: $0).upperBound } ?? 0
        return EulerSolver(grid.teacher).states(of: field, from: noise, at: edges + [last])
    }

    /// PeRFlow's segments: they start at clean latents mixed with fresh noise, and each is solved by itself.
    ///
    /// The clean latents are the teacher's own.
    private func interpolated(
        _ field: GuidedVelocity,
        from noise: Tensor,
        samples: [PromptSample],
        segments: [Int]
    ) -> [Tensor] {
        let solver = EulerSolver(grid.teacher)
        let clean = solver.solve(field, from: noise)
        let shape = Array(noise.shape.dropFirst())
        let fresh = Tensor.stacked(samples.map { $0.offTrajectoryNoise(shape, seed: seed) })
        return segments.flatMap { segment in
            let start = clean.noised(with: fresh, at: grid.start(of: segment))
            return [start, solver.solve(field, from: start, over: grid.steps(of: segment))]
        }
    }
}

/// The index whose share of the probabilities, laid end to end over (0, 1], holds `uniform`.
func categorical(_ probabilities: [Float], _ uniform: Float) -> Int {
    let target = uniform * probabilities.reduce(0, +)
    var sum: Float = 0
    for (index, probability) in probabilities.enumerated() {
        sum += probability
        if target <= sum, probability > 0 { return index }
    }
    return probabilities.lastIndex { $0 > 0 } ?? 0
}
