package import DiffusionModels
package import FlowMatching
package import Tensors

/// A velocity model as objectives see it.
package protocol VelocityNetwork: Sendable {
    /// Velocities dz/dσ of the shape of `latents`, `[samples, channels, height, width]`.
    func callAsFunction(latents: Variable, text: TextCondition, sigmas: [Float], on tape: Tape) -> Variable
}

extension VelocityTransformer: VelocityNetwork {}

/// The teacher of methods that ask it while the student trains.
package struct Teaching: Sendable {
    package let teacher: any VelocityNetwork
    /// The encoded negative prompt.
    package let unconditional: EncodedText
    /// The student's K segments of M teacher steps.
    package let grid: SegmentGrid
    /// The model's timestep shift.
    package let shift: TimeShift
    /// Where guidance scales are drawn from, one a sample.
    package let guidance: ClosedRange<Float>

    package init(
        teacher: any VelocityNetwork,
        unconditional: EncodedText,
        grid: SegmentGrid,
        shift: TimeShift,
        guidance: ClosedRange<Float>
    ) {
        self.teacher = teacher
        self.unconditional = unconditional
        self.grid = grid
        self.shift = shift
        self.guidance = guidance
    }

    /// Guidance scales for uniform numbers, one a sample.
    func scales(_ uniforms: [Float]) -> [Float] {
        uniforms.map { guidance.lowerBound + (guidance.upperBound - guidance.lowerBound) * $0 }
    }
}

/// Evaluations of networks, a sample each: what a method costs, forward passes with and without gradients alike.
package struct EvaluationCounts: Sendable, Equatable {
    package var student = 0
    package var teacher = 0
    /// The fake-velocity network's and the discriminator's.
    package var critic = 0

    package init(student: Int = 0, teacher: Int = 0, critic: Int = 0) {
        self.student = student
        self.teacher = teacher
        self.critic = critic
    }

    package static func += (sum: inout Self, part: Self) {
        sum.student += part.student
        sum.teacher += part.teacher
        sum.critic += part.critic
    }
}

/// What an objective is given: a part of a batch, its random numbers, and the networks, whose evaluations are counted.
package struct ObjectivePart {
    package let batch: SegmentBatch
    package let draws: ObjectiveDraws
    package let text: TextCondition
    /// Samples of the whole batch, over which every loss is a mean.
    package let batchCount: Int
    /// Updates made before this one.
    package let step: Int
    package let turn: ObjectiveTurn
    package private(set) var evaluations = EvaluationCounts()
    /// Those of them that are recorded, for gradients to flow back through.
    package private(set) var recorded = EvaluationCounts()
    private let student: any VelocityNetwork
    /// Computes what no gradient flows through, beside the tape that records.
    private let inference: Tape

    package init(
        _ batch: SegmentBatch,
        draws: ObjectiveDraws,
        student: any VelocityNetwork,
        batchCount: Int,
        step: Int,
        turn: ObjectiveTurn,
        inference: Tape
    ) {
        self.batch = batch
        self.draws = draws
        self.student = student
        self.batchCount = batchCount
        self.step = step
        self.turn = turn
        self.inference = inference
        text = TextCondition(batch.text)
    }

    package var count: Int { batch.count }

    /// 1 / (elements of a whole batch of tensors like this one): what makes sums over parts a mean.
    package func meanScale(_ shape: [Int]) -> Float {
        1 / Float(shape.dropFirst().reduce(1, *) * batchCount)
    }
}

// MARK: - Networks

extension ObjectivePart {
    /// The student's velocity, recorded.
    package mutating func studentVelocity(at states: Tensor, _ sigmas: [Float], on tape: Tape) -> Variable {
        evaluations.student += count
        recorded.student += count
        return student(latents: Variable(constant: states), text: text, sigmas: sigmas, on: tape)
    }

    /// The student's velocity as a constant.
    package mutating func studentValue(at states: Tensor, _ sigmas: [Float]) -> Tensor {
        evaluations.student += count
        return value(of: student, at: states, sigmas)
    }

    /// The guided velocity of the teacher, a constant.
    ///
    /// - Parameter scales: of guidance, one a sample; 1 is none.
    package mutating func guidedVelocity(
        of teaching: Teaching,
        at states: Tensor,
        _ sigmas: [Float],
        scales: [Float]
    ) -> Tensor {
        let guidance = Guidance(scales: scales)
        evaluations.teacher += count * guidance.evaluationsPerStep
        guard guidance.needsUnconditional else { return value(of: teaching.teacher, at: states, sigmas) }
        inference.reset()
        let both = teaching.teacher(
            latents: Variable(constant: guidance.batch(states)),
            text: TextCondition(teaching.unconditional.repeated(count).appending(batch.text)),
            sigmas: sigmas + sigmas,
            on: inference
        )
        return guidance.combine(both.value)
    }

    /// The velocity of another network, a constant; it counts as the critic's.
    package mutating func criticValue(
        of network: any VelocityNetwork,
        at states: Tensor,
        _ sigmas: [Float]
    ) -> Tensor {
        evaluations.critic += count
        return value(of: network, at: states, sigmas)
    }

    /// The velocity of a critic, recorded.
    package mutating func criticVelocity(
        of network: any VelocityNetwork,
        at states: Tensor,
        _ sigmas: [Float],
        on tape: Tape
    ) -> Variable {
        countCriticEvaluations()
        return network(latents: Variable(constant: states), text: text, sigmas: sigmas, on: tape)
    }

    /// Counts one evaluation of a critic that is recorded elsewhere.
    package mutating func countCriticEvaluations() {
        evaluations.critic += count
        recorded.critic += count
    }

    private func value(of network: any VelocityNetwork, at states: Tensor, _ sigmas: [Float]) -> Tensor {
        inference.reset()
        // Out of the tape's memory, which the next forward uses again.
        return network(latents: Variable(constant: states), text: text, sigmas: sigmas, on: inference)
            .value
            .copied()
    }
}
