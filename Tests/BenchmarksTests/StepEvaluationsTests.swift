import Distillation
import Testing

@testable import Benchmarks

@Suite struct StepEvaluationsTests {
    /// Evaluations that are learned from, of the student and of a fake-velocity network; judged states; those asked.
    private func expected(_ method: Method) -> [Double] {
        switch method {
        case .flowsteer: [2, 0, 2, 0]
        case .perflow, .reflow: [1, 0, 0, 0]
        case .consistency: [1, 0, 0, 3]
        case .pcm, .hyperSD, .flash: [1, 0, 2, 3]
        // The student every fifth time; where its sampling comes by, 0 to 3 jumps before, is drawn.
        case .dmd: [0.2, 1, 0, 2.9]
        case .ladd: [1, 0, 2, 0]
        }
    }

    @Test(arguments: Method.allCases)
    func `a step evaluates networks as often as its method says`(method: Method) throws {
        var (network, settings) = (NetworkSettings(), TrainingSettings())
        var trajectory = TrajectorySettings()
        method.applyDefaults(trajectory: &trajectory, network: &network, training: &settings)
        let told = try StepEvaluations(network: network, settings: settings, trajectory: trajectory)
        let counted = [told.learned, told.learnedVelocity, told.judged, told.asked]
        #expect(zip(counted, expected(method)).allSatisfy { abs($0 - $1) < 0.15 }, "\(counted)")
        #expect(told.judgedStudent == told.judged / 2)
    }

    @Test func `a whole training asks the discriminator from the step on that it begins to learn at`() throws
    {
        var settings = TrainingSettings()
        settings.adversarialStartStep = 6
        func perSample(updates: Int) throws -> Double {
            try TrainingEvaluations(
                network: NetworkSettings(),
                settings: settings,
                trajectory: TrajectorySettings(),
                updates: updates
            ).perSample
        }
        // Alone the student is asked once; with the discriminator it is a second time, for the state that is judged.
        #expect(try perSample(updates: 6) == 1)
        #expect(try perSample(updates: 8) == (6 + 2 * (2 + 2)) / 8.0)
    }
}
