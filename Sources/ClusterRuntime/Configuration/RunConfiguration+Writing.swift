import Coordination
import DiffusionModels
import Distillation
import Evaluation
import FlowMatching
import NeuralNetwork
import Tensors

extension RunConfiguration {
    /// The configuration with every key stated, as YAML that reads back equal; kept as a run's `config.yaml`.
    package var yaml: String {
        let values = writtenValues
        var lines: [String] = []
        var open: [Substring] = []
        for key in ConfigurationKeys.all {
            guard let value = values[key] else { continue }
            let names = key.split(separator: ".")
            let groups = names.dropLast()
            let shared = zip(open, groups).prefix { $0 == $1 }.count
            for depth in shared..<groups.count {
                lines.append(indentation(depth) + groups[depth] + ":")
            }
            open = Array(groups)
            lines.append(indentation(groups.count) + names[names.count - 1] + ": " + value)
        }
        return lines.map { $0 + "\n" }.joined()
    }

    private func indentation(_ depth: Int) -> String { String(repeating: "  ", count: depth) }

    /// Values by key, as YAML writes them; a path that is not stated is left out, and so are defaults of keys that came
    /// later, so that runs that began before them keep their identity.
    private var writtenValues: [String: String] {
        var values = [
            "model": quoted(modelPath),
            "method": training.method.rawValue,
            "prompts.kind": prompts.kind.rawValue,
            "seed": "\(seed)",
            "trajectory.segments": "\(trajectory.segments)",
            "trajectory.steps_per_segment": "\(trajectory.stepsPerSegment)",
            "trajectory.schedule": trajectory.schedule.rawValue,
            "trajectory.guidance": list([trajectory.guidance.lowerBound, trajectory.guidance.upperBound]),
            "trajectory.reuse": trajectory.reuse.rawValue,
            "trajectory.max_uses": "\(maxUses)",
            "trajectory.negative_prompt": quoted(trajectory.negativePrompt),
            "trajectory.online_alignment": "\(trajectory.onlineAlignment)",
            "trajectory.precision": trajectory.precision.rawValue,
            "student.precision": network.precision.rawValue,
            "training.paged_optimizer_state": "\(training.pagesOptimizerState)",
            "training.gradient_checkpointing": "\(network.recomputesBlocks)",
            "student.rank": "\(network.rank)",
            "student.targets": "[\(network.targets.map(quoted).joined(separator: ", "))]",
            "discriminator.depth": "\(network.discriminator.depth)",
            "discriminator.head": network.discriminator.heads.rawValue,
            "discriminator.mode": network.discriminator.mode.rawValue,
            "discriminator.loss": training.adversarialLoss.rawValue,
            "discriminator.rank": "\(network.discriminator.rank)",
            "training.batch_size": "\(training.batchSize)",
            "training.local_steps": "\(cluster.localSteps)",
            "training.rounds": "\(cluster.rounds)",
            "training.mixed_batches": "\(mixedBatches)",
            "training.places": training.places.rawValue,
            "training.segment_probabilities": list(training.segmentProbabilities),
            "student.ema_decay": "\(training.averageDecay)",
            "discriminator.states": training.states.rawValue,
            "discriminator.renoise": "\(training.renoisesJudged)",
            "discriminator.r1_weight": "\(training.penaltyWeight)",
            "student.guidance": "\(studentGuidance)",
            "training.huber": "\(training.huber)",
            "training.stages": list(training.stages),
            "training.stage_steps": "\(training.stageSteps)",
            "training.matching_weight": "\(training.matchingWeight)",
            "training.critic_steps": "\(training.criticSteps)",
            "training.adversarial_weight": "\(training.adversarialWeight)",
            "training.feature_matching_weight": "\(training.featureMatchingWeight)",
            "training.adversarial_start_step": "\(training.adversarialStartStep)",
            "cluster.batch_samples": "\(batchSamples)",
            "cluster.ping": "\(cluster.pingInterval.inSeconds)",
            "cluster.suspect": "\(cluster.suspectAfter.inSeconds)",
            "cluster.dead": "\(cluster.deadAfter.inSeconds)",
            "cluster.lease": "\(cluster.leaseFloor.inSeconds)",
            "cluster.hedging": "\(cluster.hedging)",
            "cluster.audit_share": "\(cluster.auditShare)",
            "cluster.attempts": "\(cluster.attempts)",
            "cluster.lead_batches": "\(cluster.leadBatches)",
            "cluster.assignment": cluster.assignment.rawValue,
            "cluster.trainers_at_start": "\(cluster.trainersAtStart)",
            "cluster.quorum": "\(cluster.quorum)",
            "cluster.grace": "\(cluster.grace.inSeconds)",
            "cluster.outlier_factor": "\(cluster.outlierFactor)",
            "cluster.averaging.student": averaging.student.rawValue,
            "cluster.averaging.discriminator": averaging.discriminator.rawValue,
            "cluster.averaging.discriminator_period": "\(averaging.discriminatorPeriod)",
            "cluster.averaging.moments_period": "\(averaging.momentsPeriod)",
            "cluster.averaging.exchange": averaging.exchange.rawValue,
            "cluster.averaging.topology": cluster.topology.rawValue,
            "evaluation.prompts": "\(evaluation.prompts)",
            "evaluation.guidance": "\(evaluation.guidance)",
        ]
        if let path = prompts.path { values["prompts.path"] = quoted(path) }
        if prompts.column != PromptSettings().column { values["prompts.column"] = quoted(prompts.column) }
        if prompts.tasks != .standard { values["prompts.tasks"] = list(prompts.tasks.values) }
        if let path = prompts.cachePath { values["prompts.cache"] = quoted(path) }
        if prompts.cacheSize != PromptSettings().cacheSize {
            values["prompts.cache_gib"] = "\(prompts.cacheSize)"
        }
        if network.student != .lora { values["student.mode"] = network.student.rawValue }
        if let path = network.initialAdaptersPath { values["student.initial_lora"] = quoted(path) }
        if let path = evaluation.path { values["evaluation.path"] = quoted(path) }
        for (prefix, settings) in [
            ("training.", training.optimizer), ("training.discriminator_", training.discriminatorOptimizer),
        ] {
            values[prefix + "optimizer"] = settings.storage.rawValue
            values[prefix + "learning_rate"] = "\(settings.learningRate)"
            values[prefix + "betas"] = list([settings.beta1, settings.beta2])
            values[prefix + "weight_decay"] = "\(settings.weightDecay)"
            values[prefix + "gradient_clip"] = "\(settings.gradientClip)"
            values[prefix + "warmup_steps"] = "\(settings.warmupSteps)"
            values[prefix + "decay_steps"] = "\(settings.decaySteps)"
        }
        let unused = MethodKeys.unused(by: training.method)
            .union(StudentKeys.unused(by: network.student, of: training.method))
        return values.filter { !unused.contains($0.key) }
    }

    private func list(_ numbers: [some CustomStringConvertible]) -> String {
        "[\(numbers.map { "\($0)" }.joined(separator: ", "))]"
    }

    /// A double-quoted scalar (YAML 1.2 §7.3.1).
    private func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            case "\t": quoted += "\\t"
            case "\0"..."\u{1F}":
                let digits = String(scalar.value, radix: 16)
                quoted += "\\x" + String(repeating: "0", count: 2 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
