package import DiffusionModels
import NeuralNetwork

/// How many numbers a run's networks have, told from the shapes of the teacher's tensors alone.
package struct NetworkSizes: Sendable, Equatable {
    /// Of the teacher's transformer.
    package let weights: Int
    /// Of them, in linear maps.
    package let maps: Int
    /// Of them, in the table of positions, of which no more is read than a picture's places.
    package let positions: Int
    /// Of what the student trains.
    package let student: Int
    /// Of the critic, a discriminator or a fake-velocity network's adapters, where there is one.
    package let critic: Int

    /// - Parameter shapes: of the teacher's tensors, by their names in diffusers.
    package init(
        teacher shapes: [String: [Int]],
        _ configuration: TransformerConfiguration,
        network: NetworkSettings
    ) {
        func count(_ shape: [Int]) -> Int { shape.reduce(1, *) }
        weights = shapes.values.reduce(0) { $0 + count($1) }
        let linear = shapes.filter { $0.key.hasSuffix(".weight") && $0.value.count == 2 }
        maps = linear.values.reduce(0) { $0 + count($1) }
        positions = shapes["pos_embed.pos_embed"].map(count) ?? 0
        let adapters = linear.reduce(0) { sum, map in
            let module = String(map.key.dropLast(".weight".count))
            guard LowRankAdapters.matches(module, network.targets) else { return sum }
            return sum + network.rank * (map.value[0] + map.value[1])
        }
        switch network.student {
        case .lora: student = adapters
        case .full:
            student = shapes.reduce(0) { sum, weight in
                let learns = VelocityTransformer.isTrainable(
                    weight.key,
                    layerCount: configuration.layerCount
                )
                return learns ? sum + count(weight.value) : sum
            }
        }
        switch network.critic {
        case .discriminator:
            var shape = network.discriminator
            shape.depth = min(shape.depth, configuration.layerCount)
            critic = shape.parameterCount(teacher: shapes, configuration)
        case .velocity: critic = adapters
        case .none: critic = 0
        }
    }
}
