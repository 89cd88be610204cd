import Coordination
import Distillation
import FlowMatching

// MARK: - Evaluations of networks

extension RunConfiguration {
    /// Updates that a trainer makes in the run.
    package var updates: Int { Int(clamping: cluster.rounds) * cluster.localSteps }

    /// Evaluations of the teacher that a batch takes, the mean over the first of a run: some methods draw what to solve.
    package var evaluationsPerBatch: Double {
        let alignment = OnlineTrajectoryAlignment(
            trajectory,
            segmentProbabilities: training.segmentProbabilities,
            shift: 1,
            seed: seed
        )
        let guidance = Guidance(scale: trajectory.guidance.upperBound, sampleCount: 1)
        let batches = 256
        let evaluations = (0..<batches).map { batch in
            let first = PromptSample(promptID: UInt64(batch * batchSamples), sample: 0, text: "")
            return alignment.evaluations(for: [first], guidance: guidance)
        }
        return Double(evaluations.reduce(0, +) * batchSamples) / Double(batches)
    }

    /// Evaluations of all networks in a round of one trainer.
    ///
    /// - Parameter trainingPerSample: those that the trainer makes for a sample.
    func evaluationsPerRound(trainingPerSample: Double) -> Double {
        Double(batchesPerRound) * evaluationsPerBatch
            + Double(cluster.localSteps * training.batchSize) * trainingPerSample
    }
}
