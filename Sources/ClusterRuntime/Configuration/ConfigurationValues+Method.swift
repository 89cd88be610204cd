import NeuralNetwork

extension ConfigurationValues {
    /// The settings of one optimizer, whose keys all begin with `prefix`.
    func readOptimizer(_ prefix: String, into settings: inout AdamW.Settings) throws(ConfigurationError) {
        try read(prefix + "optimizer", into: &settings.storage)
        try read(prefix + "learning_rate", into: &settings.learningRate, .positive)
        if let betas = try numbers(prefix + "betas", count: 2, .from(0, below: 1)) {
            settings.beta1 = betas[0]
            settings.beta2 = betas[1]
        }
        try read(prefix + "weight_decay", into: &settings.weightDecay, .atLeast(0))
        try read(prefix + "gradient_clip", into: &settings.gradientClip, .positive)
        try read(prefix + "warmup_steps", into: &settings.warmupSteps, in: 0...(.max))
        try read(prefix + "decay_steps", into: &settings.decaySteps, in: 0...(.max))
    }

    /// An absolute path; one stated in the file starts at the file's folder, others at the working folder.
    func path(_ key: String, in folder: String) throws(ConfigurationError) -> String? {
        guard let path = try string(key) else { return nil }
        guard !path.isEmpty else { throw refusal(of: key, expected: "a path") }
        if case .file = place(of: key) { return absolutePath(path, in: folder) }
        return absolutePath(path, in: ".")
    }
}
