package import NeuralNetwork
package import Tensors

/// Where a network takes its parameters from: a file, a set in training, or frozen weights with adapters.
package protocol ParameterSource {
    /// The parameter of a name, of exactly this shape.
    func parameter(_ name: String, shape: [Int]) throws(ModelError) -> Parameter
    /// The adapter of a linear map, named without `.weight`; nil where there is none.
    func adapter(for module: String) -> LowRankAdapter?
}

extension ParameterSource {
    package func adapter(for module: String) -> LowRankAdapter? { nil }

    /// The linear map `name`, with its bias.
    package func linear(_ name: String, inputs: Int, outputs: Int, bias: Bool = true) throws(ModelError)
        -> Linear
    {
        Linear(
            weight: try parameter(name + ".weight", shape: [outputs, inputs]),
            bias: bias ? try parameter(name + ".bias", shape: [outputs]) : nil,
            adapter: adapter(for: name)
        )
    }
}

/// Weights in memory by name, frozen.
package struct Weights: ParameterSource, Sendable {
    /// What a person calls them: the folder they came from.
    package let origin: String
    package let tensors: [String: Tensor]
    private let packed: [String: PackedWeight]

    package init(origin: String, tensors: [String: Tensor]) {
        self.init(origin: origin, tensors: tensors, packed: [:])
    }

    private init(origin: String, tensors: [String: Tensor], packed: [String: PackedWeight]) {
        self.origin = origin
        self.tensors = tensors
        self.packed = packed
    }

    /// The same weights with their linear maps laid out for products once, where that is asked for or pays.
    ///
    /// It pays for small models, through which few tokens pass at a time; a large one would take up two times
    /// its memory for a gain of a percent.
    /// - Parameter precision: of products with the linear maps; everything else stays in 32-bit floats.
    package func packed(_ precision: Precision) -> Weights {
        let maps = tensors.filter { $0.key.hasSuffix(".weight") && $0.value.shape.count == 2 }
        let isSmall = maps.reduce(0) { $0 + $1.value.count } <= Self.mostPackedElements
        guard isSmall || precision == .bfloat16 else { return self }
        return Weights(
            origin: origin,
            tensors: tensors,
            packed: maps.mapValues { PackedWeight($0, precision: precision) }
        )
    }

    /// 256 MiB of 32-bit floats.
    private static let mostPackedElements = 1 << 26

    package func parameter(_ name: String, shape: [Int]) throws(ModelError) -> Parameter {
        Parameter(frozen: try tensor(name, shape: shape), packed: packed[name])
    }

    /// The tensor of a name, of exactly this shape.
    package func tensor(_ name: String, shape: [Int]) throws(ModelError) -> Tensor {
        guard let tensor = tensors[name] else { throw .missingTensor(name: name, file: origin) }
        guard tensor.shape == shape else {
            throw .wrongShape(name: name, file: origin, expected: shape, found: tensor.shape)
        }
        return tensor
    }

    /// Names, without `.weight`, and shapes `[out, in]` of the linear maps.
    package var linearModules: [(name: String, shape: [Int])] {
        tensors.compactMap { name, tensor in
            guard name.hasSuffix(".weight"), tensor.shape.count == 2 else { return nil }
            return (String(name.dropLast(".weight".count)), tensor.shape)
        }
        .sorted { $0.name < $1.name }
    }
}

/// Frozen weights whose linear maps carry trained adapters: the student.
package struct AdaptedWeights: ParameterSource, Sendable {
    package let base: Weights
    package let adapters: LowRankAdapters

    package init(base: Weights, adapters: LowRankAdapters) {
        self.base = base
        self.adapters = adapters
    }

    package func parameter(_ name: String, shape: [Int]) throws(ModelError) -> Parameter {
        try base.parameter(name, shape: shape)
    }

    package func adapter(for module: String) -> LowRankAdapter? { adapters.adapter(for: module) }
}

/// A set in training, over frozen weights for what the set does not have.
package struct TrainedWeights: ParameterSource, Sendable {
    package let base: Weights
    package let set: ParameterSet

    /// Trains the weights that `isTrained` selects, starting from their values in `base`.
    package init(base: Weights, id: Int, isTrained: (String) -> Bool) {
        let trained = base.tensors.filter { isTrained($0.key) }.sorted { $0.key < $1.key }
        self.base = base
        set = ParameterSet(id: id, layout: ParameterLayout(trained.map { ($0.key, $0.value.shape) }))
        for (name, tensor) in set.tensors {
            if let start = base.tensors[name] { tensor.copy(from: start) }
        }
    }

    package func parameter(_ name: String, shape: [Int]) throws(ModelError) -> Parameter {
        guard let parameter = set.parameter(named: name) else {
            return try base.parameter(name, shape: shape)
        }
        guard parameter.value.shape == shape else {
            throw .wrongShape(name: name, file: base.origin, expected: shape, found: parameter.value.shape)
        }
        return parameter
    }
}

extension LowRankAdapters {
    /// Weights with the adapters added, W + scale · up · down; in memory of their own where adapted.
    package func merged(into weights: Weights, scale: Float = 1) -> Weights {
        var tensors = weights.tensors
        let tape = Tape()
        for (name, weight) in weights.tensors where name.hasSuffix(".weight") {
            guard let adapter = adapter(for: String(name.dropLast(".weight".count))) else { continue }
            let update = Tensor.zeros(weight.shape)
            update.setProduct(adapter.up.value, adapter.down.value, on: tape)
            tensors[name] = weight.adding(update, scaledBy: scale * adapter.scale)
        }
        return Weights(origin: weights.origin, tensors: tensors)
    }
}
