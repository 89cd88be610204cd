package import DiffusionModels
package import NeuralNetwork

/// The networks a run trains, at their start: a student equal to the teacher, or to the teacher with given adapters, and
/// an untrained critic where the method has one.
///
/// A pure function of teacher, settings and seed, so every process of a cluster makes the same ones.
package struct TrainableNetworks: Sendable {
    /// What is trained beside the student and tells it where to go.
    package enum Critic: Sendable {
        case discriminator(TrajectoryDiscriminator)
        /// The velocity of what the student makes, with its adapters; it begins as the teacher.
        case velocity(VelocityTransformer, LowRankAdapters)
        /// Of methods in which nobody judges the student.
        case none

        package var parameters: ParameterSet {
            switch self {
            case .discriminator(let discriminator): discriminator.parameters
            case .velocity(_, let adapters): adapters.parameters
            case .none: ParameterSet(id: SetID.critic, layout: ParameterLayout([]))
            }
        }
    }

    package let student: Student
    package let critic: Critic
    /// The teacher with what the student has of its own.
    package let studentTransformer: VelocityTransformer
    package let teacher: VelocityTransformer

    /// Numbers of the two parameter sets.
    private enum SetID {
        static let student = 1
        static let critic = 2
    }

    /// - Parameter seed: for the initial adapters and the discriminator's head.
    package init(teacher: ModelFolder, network: NetworkSettings, seed: UInt64) throws {
        try self.init(weights: teacher.weights, teacher.configuration, network: network, seed: seed)
    }

    /// - Parameter weights: the teacher's transformer.
    package init(
        weights: Weights,
        _ configuration: TransformerConfiguration,
        network: NetworkSettings,
        seed: UInt64
    ) throws {
        func makeAdapters(id: Int) -> LowRankAdapters {
            let adapters = LowRankAdapters(
                rank: network.rank,
                modules: weights.linearModules,
                targets: network.targets,
                id: id
            )
            adapters.initialize(seed: seed)
            return adapters
        }
        let base = weights.packed(network.precision)
        func makeTransformer(_ student: Student) throws(ModelError) -> VelocityTransformer {
            var transformer = try VelocityTransformer(configuration, teacher: base, student: student)
            transformer.recomputesBlocks = network.recomputesBlocks
            return transformer
        }
        switch network.student {
        case .lora:
            let adapters = makeAdapters(id: SetID.student)
            if let path = network.initialAdaptersPath {
                try AdapterImport(path: path, for: weights, layerCount: configuration.layerCount)
                    .initialize(adapters)
            }
            student = .adapters(adapters)
        case .full:
            let trained = TrainedWeights(base: weights, id: SetID.student) {
                VelocityTransformer.isTrainable($0, layerCount: configuration.layerCount)
            }
            student = .weights(trained.set)
        }
        studentTransformer = try makeTransformer(student)
        teacher = try VelocityTransformer(configuration, from: base)
        switch network.critic {
        case .discriminator:
            var shape = network.discriminator
            shape.depth = min(shape.depth, configuration.layerCount)
            var discriminator = try TrajectoryDiscriminator(
                teacher: base,
                configuration,
                shape,
                id: SetID.critic,
                seed: seed
            )
            discriminator.recomputesBlocks = network.recomputesBlocks
            critic = .discriminator(discriminator)
        case .velocity:
            let adapters = makeAdapters(id: SetID.critic)
            critic = .velocity(try makeTransformer(.adapters(adapters)), adapters)
        case .none: critic = .none
        }
    }

    /// What a round averages, by name and in order.
    package var segments: [(name: String, parameters: ParameterSet)] {
        let own = [(name: "student", parameters: student.parameters)]
        if case .none = critic { return own }
        return own + [("discriminator", critic.parameters)]
    }
}
