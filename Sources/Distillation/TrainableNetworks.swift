package import DiffusionModels
package import NeuralNetwork

/// The networks a run trains, at their start: a student equal to the teacher, or to the teacher with given adapters, and an
/// untrained discriminator.
///
/// A pure function of teacher, settings and seed, so every process of a cluster makes the same ones.
package struct TrainableNetworks: Sendable {
    package let student: VelocityTransformer
    package let adapters: LowRankAdapters
    package let discriminator: TrajectoryDiscriminator

    /// Numbers of the two parameter sets.
    private enum SetID {
        static let student = 1
        static let discriminator = 2
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
        adapters = LowRankAdapters(
            rank: network.rank,
            modules: weights.linearModules,
            targets: network.targets,
            id: SetID.student
        )
        adapters.initialize(seed: seed)
        if let path = network.initialAdaptersPath {
            try AdapterImport(path: path, for: weights, layerCount: configuration.layerCount)
                .initialize(adapters)
        }
        var student = try VelocityTransformer(
            configuration,
            from: AdaptedWeights(base: weights.packed(network.precision), adapters: adapters)
        )
        student.recomputesBlocks = network.recomputesBlocks
        self.student = student
        var discriminator = try TrajectoryDiscriminator(
            teacher: weights,
            configuration,
            depth: min(network.discriminatorDepth, configuration.layerCount),
            id: SetID.discriminator,
            seed: seed
        )
        discriminator.recomputesBlocks = network.recomputesBlocks
        self.discriminator = discriminator
    }

    /// What a round averages, by name and in order: the student's adapters and the discriminator.
    package var segments: [(name: String, parameters: ParameterSet)] {
        [("student", adapters.parameters), ("discriminator", discriminator.parameters)]
    }
}
