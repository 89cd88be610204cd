import Coordination
import Distillation
import NeuralNetwork

/// How long a study's students train, where not as long as the configuration says.
package struct StudySize: Sendable {
    /// What is the same for all students.
    package enum Equality: String, Sendable, CaseIterable {
        /// Samples trained on.
        case samples
        /// Evaluations of all networks, as many as the configuration's own method asks: ``Study/equalizing(_:of:resolve:trainingPerSample:)``.
        case evaluations
    }

    /// 1 or more; nil takes the configuration's.
    package var rounds: Int?
    /// 1 or more; nil takes the configuration's.
    package var localSteps: Int?
    package var equality: Equality

    package init(rounds: Int? = nil, localSteps: Int? = nil, equality: Equality = .samples) {
        self.rounds = rounds
        self.localSteps = localSteps
        self.equality = equality
    }

    /// Samples that a student of one trainer is trained on.
    func samples(of configuration: RunConfiguration) -> Int {
        updates(of: configuration) * configuration.training.batchSize
    }

    private func updates(of configuration: RunConfiguration) -> Int {
        (rounds ?? Int(configuration.cluster.rounds)) * (localSteps ?? configuration.cluster.localSteps)
    }

    /// What makes a run of `method` as long, `group.key=value`.
    ///
    /// What the configuration states in updates keeps its share of the run: where rates have fallen to zero, and where the
    /// configuration's own method has stages and lets its discriminator in. Other methods begin with their defaults.
    func overrides(of configuration: RunConfiguration, for method: Method) -> [String] {
        func scaled(_ updates: Int) -> Int {
            Int(
                (Double(updates) * Double(self.updates(of: configuration)) / Double(configuration.updates))
                    .rounded()
            )
        }
        let training = configuration.training
        var counts = [
            ("training.rounds", rounds ?? Int(configuration.cluster.rounds)),
            ("training.local_steps", localSteps ?? configuration.cluster.localSteps),
            ("training.decay_steps", scaled(training.optimizer.decaySteps)),
            ("training.discriminator_decay_steps", scaled(training.discriminatorOptimizer.decaySteps)),
        ]
        if method == training.method {
            counts.append(("training.adversarial_start_step", scaled(training.adversarialStartStep)))
            if method.stagesInARun == nil {
                counts.append(("training.stage_steps", scaled(training.stageSteps)))
            }
        }
        let unused = MethodKeys.unused(by: method)
        return counts.filter { !unused.contains($0.0) }.map { "\($0.0)=\($0.1)" }
    }
}
