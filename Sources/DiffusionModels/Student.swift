package import NeuralNetwork
package import Tensors

/// What a student has of its own; all else of it is its teacher's.
package enum Student: Sendable {
    /// Low-rank adapters of linear maps.
    case adapters(LowRankAdapters)
    /// Weights in the place of the teacher's: all that ``VelocityTransformer/isTrainable(_:layerCount:)`` names.
    case weights(ParameterSet)

    /// What a student trains.
    package enum Mode: String, Sendable, Codable, CaseIterable {
        case lora
        case full
    }

    package var parameters: ParameterSet {
        switch self {
        case .adapters(let adapters): adapters.parameters
        case .weights(let set): set
        }
    }

    /// The student with other numbers, of the layout that its own have.
    package func with(_ parameters: ParameterSet) -> Student {
        switch self {
        case .adapters(let adapters): .adapters(LowRankAdapters(rank: adapters.rank, parameters: parameters))
        case .weights: .weights(parameters)
        }
    }
}

extension VelocityTransformer {
    /// The student in training: gradients reach what it has of its own.
    package init(_ configuration: TransformerConfiguration, teacher: Weights, student: Student)
        throws(ModelError)
    {
        switch student {
        case .adapters(let adapters):
            try self.init(configuration, from: AdaptedWeights(base: teacher, adapters: adapters))
        case .weights(let set):
            try self.init(configuration, from: TrainedWeights(base: teacher, set: set))
        }
    }

    /// True for the weights of a network of `layerCount` blocks that learn: nobody reads the text after its last block,
    /// and the position table stays as it is.
    package static func isTrainable(_ name: String, layerCount: Int) -> Bool {
        name.hasPrefix("norm_out.") || name.hasPrefix("proj_out.")
            || TransformerTrunk.isTrainable(name, depth: layerCount)
    }
}

extension ModelFolder {
    /// A student that learns no more.
    ///
    /// - Parameter precision: of products with the weights; those with adapters are in 32-bit floats.
    package func makeTransformer(
        student: Student,
        precision: Precision = .float32
    ) throws(ModelError) -> VelocityTransformer {
        switch student {
        case .adapters(let adapters):
            let base = weights.packed(precision)
            return try VelocityTransformer(
                configuration,
                from: AdaptedWeights(base: base, adapters: adapters)
            )
        case .weights(let set):
            return try VelocityTransformer(configuration, from: weights.replacing(set).packed(precision))
        }
    }
}

extension Weights {
    /// The weights with a set's in the place of those of the same names; they share its memory.
    package func replacing(_ set: ParameterSet) -> Weights {
        adding(Dictionary(uniqueKeysWithValues: set.tensors.map { ($0.name, $0.tensor) }))
    }
}
