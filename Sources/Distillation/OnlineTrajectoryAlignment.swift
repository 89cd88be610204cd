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
    /// Of the segments that trajectories consist of: of one where they are trained on as a whole.
    package let segmentProbabilities: [Float]

    /// `segmentProbabilities` are those of the student's segments; `reuse: segment` draws one a batch.
    package init(
        _ settings: TrajectorySettings,
        segmentProbabilities: [Float],
        shift: Double,
        seed: UInt64
    ) {
        self.settings = settings
        let isWhole = settings.span == .whole
        self.segmentProbabilities = isWhole ? [1] : segmentProbabilities
        self.seed = seed
        grid = SegmentGrid(
            kind: settings.schedule,
            segmentCount: isWhole ? 1 : settings.segments,
            stepsPerSegment: isWhole
                ? settings.segments * settings.stepsPerSegment : settings.stepsPerSegment,
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

    /// Network evaluations a sample costs, both halves counted; of the segments it holds together.
    package func evaluations(for samples: [PromptSample], guidance: Guidance) -> Int {
        let perStep = guidance.evaluationsPerStep
        let steps = steps(for: samples)
        if settings.onlineAlignment { return (steps.last?.upperBound ?? 0) * perStep }
        return (grid.teacher.stepCount + steps.reduce(0) { $0 + $1.count }) * perStep
    }

    /// Where the segments of a batch start and end.
    package func spans(for samples: [PromptSample]) -> [SegmentSpan] {
        steps(for: samples).map {
            SegmentSpan(start: grid.teacher[$0.lowerBound], end: grid.teacher[$0.upperBound])
        }
    }

    /// The teacher's steps inside each segment of a batch.
    ///
    /// Segments to data begin at an edge or, less often, a step before or behind it (Flash Diffusion's mixture of
    /// exp(−(i − anchor)² / .5), of which the rest is nothing).
    private func steps(for samples: [PromptSample]) -> [Range<Int>] {
        segments(for: samples).map { segment in
            let steps = grid.steps(of: segment)
            guard settings.span == .toData, let first = samples.first else { return steps }
            var stream = RandomStream(
                key: seed ^ 0x616e_6368_6f72,
                stream: first.promptID << 16 | UInt64(first.sample)
            )
            let uniforms = stream.uniform([grid.segmentCount]).values
            let around = (-1...1).map { steps.lowerBound + $0 }.filter { (0..<steps.upperBound).contains($0) }
            let masses = around.map { $0 == steps.lowerBound ? 1 : Float(0.135335) }
            return around[categorical(masses, uniforms[segment])]..<grid.teacher.stepCount
        }
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
        let (segments, steps) = (segments(for: samples), steps(for: samples))
        let times = settings.onlineAlignment ? segments.count + 1 : 2 * segments.count
        let states = Tensor.zeros([times, samples.count] + shape)
        let pieces = teacher.samplesAtOnce(unconditional, for: .inference, evaluations: 2)
        pool.forEachShare(of: samples.count, inPiecesOf: pieces) { lane, range in
            let solved = solve(
                Array(samples[range]),
                segments: segments,
                steps: steps,
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
        steps: [Range<Int>],
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
            : interpolated(field, from: noise, samples: samples, steps: steps)
    }

    /// One solve; the states at the edges of the segments.
    private func aligned(_ field: GuidedVelocity, from noise: Tensor, segments: [Int]) -> [Tensor] {
        let edges = segments.map { grid.steps(of: $0).lowerBound }
        let last = segments.last.map { grid.steps(of: $0).upperBound } ?? 0
        return EulerSolver(grid.teacher).states(of: field, from: noise, at: edges + [last])
    }

    /// PeRFlow's and Flash Diffusion's segments: they start at clean latents mixed with fresh noise, and each is solved
    /// by itself.
    ///
    /// The clean latents are the teacher's own.
    private func interpolated(
        _ field: GuidedVelocity,
        from noise: Tensor,
        samples: [PromptSample],
        steps: [Range<Int>]
    ) -> [Tensor] {
        let solver = EulerSolver(grid.teacher)
        let clean = solver.solve(field, from: noise)
        let shape = Array(noise.shape.dropFirst())
        let fresh = Tensor.stacked(samples.map { $0.offTrajectoryNoise(shape, seed: seed) })
        return steps.flatMap { steps in
            let start = clean.noised(with: fresh, at: grid.teacher[steps.lowerBound])
            return [start, solver.solve(field, from: start, over: steps)]
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
