import FlowMatching
import Synchronization
import Tensors
import TestSupport
import Testing

@testable import Distillation

@Suite struct SamplingTests {
    /// The exact field of data that are one point.
    private struct PointField: VelocityField {
        let point: Float

        func velocity(of latents: Tensor, at sigma: Float) -> Tensor {
            latents.adding(Tensor(repeating: -point, shape: latents.shape)).scaled(by: 1 / sigma)
        }
    }

    private let schedule = SigmaSchedule.rectified(stepCount: 4, shift: 3)

    @Test func `jumps to the next noise level are Euler's steps`() {
        let noise = randomTensor([3, 2, 4, 4], seed: 5)
        let field = PointField(point: 0.4)
        let solver = JumpSolver(schedule: schedule, ends: (1...4).map { schedule[$0] })
        let euler = EulerSolver(schedule).solve(field, from: noise)
        #expect(solver.solve(field, from: noise).largestAbsoluteDifference(to: euler) < 1e-5)
    }

    @Test(arguments: [1, 2])
    func `after a jump fresh noise brings a sample back to where the next level has it`(segments: Int) {
        let noise = randomTensor([2, 3, 64, 64], seed: 6)
        let field = WatchedField(PointField(point: 2))
        let edges = SigmaSchedule.rectified(stepCount: segments, shift: 3)
        let end = JumpSolver(schedule: schedule, ends: (1...segments).map { edges[$0] })
            .solve(field, from: noise)
        #expect(end.largestAbsoluteDifference(to: Tensor(repeating: 2, shape: noise.shape)) < 1e-4)
        // z = (1 − σ) · 2 + σ ε at every level.
        for (index, state) in field.states.enumerated() {
            let sigma = schedule[index]
            let (count, centre) = (Double(state.count), 2 * Double(1 - sigma))
            #expect(abs(state.sum / count - centre) < 0.03, "mean at \(sigma)")
            let variance = state.sumOfSquares / count - centre * centre
            #expect(abs(variance.squareRoot() - Double(sigma)) < 0.03, "deviation at \(sigma)")
        }
        #expect(field.states[1].row(0).values != field.states[1].row(1).values)
    }

    /// Remembers the states it was asked for.
    private final class WatchedField: VelocityField {
        private let field: PointField
        private let asked = Mutex<[Tensor]>([])

        init(_ field: PointField) { self.field = field }

        var states: [Tensor] { asked.withLock { $0 } }

        func velocity(of latents: Tensor, at sigma: Float) -> Tensor {
            asked.withLock { $0.append(latents) }
            return field.velocity(of: latents, at: sigma)
        }
    }

    @Test func `a student's way of sampling comes back from its file's metadata`() {
        var sampling = StudentSampling()
        #expect(sampling.metadata.isEmpty && StudentSampling(metadata: [:]) == sampling)
        sampling.rule = .jumps(segments: 2)
        sampling.guidance = 1.5
        #expect(StudentSampling(metadata: sampling.metadata) == sampling)
        #expect(StudentSampling(metadata: ["flowsteer_sampling": "leaps-2"]) == nil)
        #expect(StudentSampling(metadata: ["flowsteer_sampling": "jumps-0"]) == nil)
        #expect(StudentSampling(metadata: ["flowsteer_guidance": "-1"]) == nil)
    }
}
