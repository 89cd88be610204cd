import TestSupport

/// A run on the shipped teacher that is small enough for a test, and long enough to be disturbed.
enum SmallRun {
    static let configuration = """
        model: \(Repository.teacher)
        seed: 5
        trajectory: {segments: 4, steps_per_segment: 1, guidance: [2.5, 3.5], max_uses: 2}
        student: {rank: 2, targets: [attn.to_q, attn.to_v]}
        discriminator: {depth: 1}
        training:
          batch_size: 4
          local_steps: 2
          rounds: 4
          learning_rate: 5.0e-4
          segment_probabilities: [0.4, 0.2, 0.2, 0.2]
          adversarial_start_step: 2
        cluster: {batch_samples: 4, lead_batches: 3, ping: 0.2, suspect: 1, dead: 3, grace: 10}
        evaluation: {prompts: 6}
        """
}
