/// The keys of a configuration, written `group.key`.
enum ConfigurationKeys {
    /// In the order they are written.
    static let all = [
        "model", "method",
        "prompts.kind", "prompts.path", "prompts.column", "prompts.tasks", "prompts.cache",
        "prompts.cache_gib",
        "seed",
        "trajectory.segments", "trajectory.steps_per_segment", "trajectory.schedule", "trajectory.guidance",
        "trajectory.reuse", "trajectory.max_uses", "trajectory.negative_prompt",
        "trajectory.online_alignment", "trajectory.precision",
        "student.mode", "student.rank", "student.targets", "student.precision", "student.initial_lora",
        "student.guidance",
        "student.ema_decay",
        "discriminator.depth", "discriminator.head", "discriminator.mode", "discriminator.rank",
        "discriminator.loss", "discriminator.states", "discriminator.renoise", "discriminator.r1_weight",
        "training.batch_size", "training.local_steps", "training.rounds", "training.segment_probabilities",
        "training.places", "training.mixed_batches", "training.gradient_checkpointing",
        "training.huber", "training.stages", "training.stage_steps", "training.matching_weight",
        "training.critic_steps", "training.paged_optimizer_state",
        "training.adversarial_weight", "training.feature_matching_weight", "training.adversarial_start_step",
        "training.optimizer", "training.learning_rate", "training.betas", "training.weight_decay",
        "training.gradient_clip", "training.warmup_steps", "training.decay_steps",
        "training.discriminator_optimizer", "training.discriminator_learning_rate",
        "training.discriminator_betas", "training.discriminator_weight_decay",
        "training.discriminator_gradient_clip",
        "training.discriminator_warmup_steps", "training.discriminator_decay_steps",
        "cluster.batch_samples", "cluster.ping", "cluster.suspect", "cluster.dead", "cluster.lease",
        "cluster.hedging", "cluster.audit_share", "cluster.attempts", "cluster.lead_batches",
        "cluster.assignment",
        "cluster.trainers_at_start", "cluster.quorum", "cluster.grace", "cluster.outlier_factor",
        "cluster.averaging.student", "cluster.averaging.discriminator",
        "cluster.averaging.discriminator_period", "cluster.averaging.moments_period",
        "cluster.averaging.exchange", "cluster.averaging.topology",
        "evaluation.prompts", "evaluation.path", "evaluation.guidance",
    ]

    static func isKnown(_ key: String) -> Bool { all.contains(key) }

    /// True for what stands before a dot in a known key.
    static func isGroup(_ name: String) -> Bool { all.contains { $0.hasPrefix(name + ".") } }

    /// The known key, or group, that is the fewest edits away.
    static func nearest(to key: String) -> String {
        let groups = Set(
            all.flatMap { key in
                key.indices.filter { key[$0] == "." }.map { String(key[..<$0]) }
            }
        )
        // A group's name is proposed for a group's misspelling: no key of it is nearer.
        return (all + groups.sorted()).min { editDistance($0, key) < editDistance($1, key) } ?? key
    }

    /// The environment variable that overrides a key.
    static func environmentVariable(of key: String) -> String {
        "FLOWSTEER_" + key.uppercased().map { $0 == "." ? "_" : String($0) }.joined()
    }
}

/// Insertions, deletions and replacements of one character that lead from one text to the other (Levenshtein).
func editDistance(_ left: String, _ right: String) -> Int {
    let right = Array(right)
    var row = Array(0...right.count)
    for (index, character) in left.enumerated() {
        var diagonal = row[0]
        row[0] = index + 1
        for column in right.indices {
            let replaced = diagonal + (character == right[column] ? 0 : 1)
            diagonal = row[column + 1]
            row[column + 1] = min(replaced, row[column] + 1, row[column + 1] + 1)
        }
    }
    return row[right.count]
}
