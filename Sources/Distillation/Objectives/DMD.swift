import FlowMatching
import Tensors

/// DMD2 (Yin and others 2024, "Improved Distribution Matching Distillation"): distribution matching with a network that
/// learns the velocity of what the student makes, on two time scales; without its discriminator.
///
/// The student is asked where its own sampling comes by (backward simulation, §4.4): from noise through jumps to data
/// and fresh noise to one of the K noise levels, the same for a whole update. The fake-velocity network learns in every
/// update, the student in every `criticSteps`th. Of the data only the prompts are used.
struct DMD: Objective {
    let settings: TrainingSettings
    let matching: DistributionMatching
    let fake: any VelocityNetwork

    /// Shared: the noise level; uniform: guidance, the levels of matching and of the fake network; noise: of both, and
    /// of every start.
    var randomNumbers: ObjectiveDraws.Need {
        .init(uniforms: 3, noises: 2 + matching.teaching.grid.segmentCount, shared: 1)
    }

    func turn(step: Int) -> ObjectiveTurn {
        ObjectiveTurn(updatesStudent: step.isMultiple(of: settings.criticSteps), updatesCritic: true)
    }

    func terms(_ part: inout ObjectivePart, on tape: Tape) -> ObjectiveTerms {
        let edges = matching.teaching.grid.edges
        let level = min(edges.stepCount - 1, Int(part.draws.shared[0] * Float(edges.stepCount)))
        let (states, sigmas) = simulate(&part, to: level)
        let back = sigmas.map { -$0 }
        var terms = ObjectiveTerms()
        let pictures: Tensor
        if part.turn.updatesStudent {
            let velocity = part.studentVelocity(at: states, sigmas, on: tape)
            let made = tape.step(from: states, by: back, along: velocity)
            pictures = made.value
            let loss = matching.loss(
                &part,
                made,
                sigmas: DistributionMatching.sigmas(part.draws.uniforms[1]),
                noise: part.draws.noises[0],
                scales: matching.teaching.scales(part.draws.uniforms[0]),
                fake: { $0.criticValue(of: fake, at: $1, $2) },
                on: tape
            )
            terms.student = [.init("distribution_matching", loss)]
        } else {
            pictures = .step(from: states, by: back, along: part.studentValue(at: states, sigmas))
        }
        terms.critic = [.init("fake_velocity", fakeLoss(&part, pictures, on: tape))]
        return terms
    }

    /// The states of the student's own sampling at an edge, and their noise levels.
    private func simulate(_ part: inout ObjectivePart, to level: Int) -> (Tensor, [Float]) {
        let edges = matching.teaching.grid.edges
        func sigmas(_ index: Int) -> [Float] { [Float](repeating: edges[index], count: part.count) }
        var states = part.draws.noises[2]
        for index in 0..<level {
            let velocity = part.studentValue(at: states, sigmas(index))
            let clean = Tensor.step(from: states, by: sigmas(index).map { -$0 }, along: velocity)
            states = clean.noised(with: part.draws.noises[3 + index], at: sigmas(index + 1))
        }
        return (states, sigmas(level))
    }

    /// mean (v_φ(x_t, t) − (ε − x))²: flow matching on the student's pictures.
    private func fakeLoss(_ part: inout ObjectivePart, _ pictures: Tensor, on tape: Tape) -> Variable {
        let (sigmas, noise) = (DistributionMatching.sigmas(part.draws.uniforms[2]), part.draws.noises[1])
        let velocity = part.criticVelocity(
            of: fake,
            at: pictures.noised(with: noise, at: sigmas),
            sigmas,
            on: tape
        )
        let target = noise.subtracting(pictures)
        return tape.squaredError(velocity, target: target, scale: part.meanScale(target.shape))
    }
}
