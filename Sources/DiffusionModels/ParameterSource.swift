package import NeuralNetwork
package import Tensors

/// Where a network takes its parameters from: a file, a set in training, or frozen weights with adapters.
package protocol ParameterSource {
    /// The parameter of a name, of exactly this shape.
    func parameter(_ name: String, shape: [Int]) throws(ModelError) -> Parameter
    /// The adapter of a linear map, named without `.weight`; nil where there is none.
    func adapter(for module: String) -> LowRankAdapter?
    /// A tensor of which a network reads parts, of exactly this shape; nobody trains it.
    func table(_ name: String, shape: [Int]) throws(ModelError) -> StoredTensor
}

extension ParameterSource {
    package func table(_ name: String, shape: [Int]) throws(ModelError) -> StoredTensor {
        StoredTensor(try parameter(name, shape: shape).value)
    }

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

/// Weights by name, frozen; every network made from them, and from copies of them, shares their memory.
package struct Weights: ParameterSource, Sendable {
    /// What a person calls them: the folder they came from.
    package let origin: String
    private let weights: [String: FrozenWeight]
    /// Of products with linear maps that are laid out for them; nil where products read the weights as they stand.
    private let precision: Precision?

    /// Weights as they are stored.
    package init(origin: String, stored: [String: StoredTensor]) {
        self.init(origin: origin, weights: stored.mapValues { FrozenWeight($0) }, precision: nil)
    }

    /// Weights in memory.
    package init(origin: String, tensors: [String: Tensor]) {
        self.init(origin: origin, stored: tensors.mapValues { StoredTensor($0) })
    }

    private init(origin: String, weights: [String: FrozenWeight], precision: Precision?) {
        self.origin = origin
        self.weights = weights
        self.precision = precision
    }

    /// The same weights, their linear maps laid out for products where that is asked for or pays.
    ///
    /// It pays for small models, through which few tokens pass at a time; a large one would take up two times
    /// its memory for a gain of a percent.
    /// - Parameter precision: of products with the linear maps; everything else stays in 32-bit floats.
    package func packed(_ precision: Precision) -> Weights {
        let isSmall = linearModules.reduce(0) { $0 + $1.shape[0] * $1.shape[1] } <= Self.mostPackedElements
        guard isSmall || precision == .bfloat16 else { return self }
        return Weights(origin: origin, weights: weights, precision: precision)
    }

    /// Elements of linear maps up to which laying them out in 32-bit floats pays: 256 MiB of them.
    package static let mostPackedElements = 1 << 26

    /// The weights with others beside them, or in the place of those of the same names.
    func adding(_ tensors: [String: Tensor]) -> Weights {
        let others = tensors.mapValues { FrozenWeight(StoredTensor($0)) }
        let all = weights.merging(others) { $1 }
        return Weights(origin: origin, weights: all, precision: precision)
    }

    package func parameter(_ name: String, shape: [Int]) throws(ModelError) -> Parameter {
        let weight = try weight(name, shape: shape)
        guard let precision, Self.isLinearMap(name, shape) else { return Parameter(frozen: weight.floats) }
        return Parameter(frozen: weight, precision)
    }

    /// The tensor of a name, of exactly this shape, as 32-bit floats.
    package func tensor(_ name: String, shape: [Int]) throws(ModelError) -> Tensor {
        try weight(name, shape: shape).floats
    }

    package func table(_ name: String, shape: [Int]) throws(ModelError) -> StoredTensor {
        try weight(name, shape: shape).stored
    }

    private func weight(_ name: String, shape: [Int]) throws(ModelError) -> FrozenWeight {
        guard let weight = weights[name] else { throw .missingTensor(name: name, file: origin) }
        guard weight.stored.shape == shape else {
            throw .wrongShape(name: name, file: origin, expected: shape, found: weight.stored.shape)
        }
        return weight
    }

    /// All tensors, their numbers as they are stored.
    package var stored: [String: StoredTensor] { weights.mapValues(\.stored) }

    /// How a set of the weights that `isTrained` selects is laid out: in the order of their names.
    func layout(where isTrained: (String) -> Bool) -> ParameterLayout {
        let trained = weights.filter { isTrained($0.key) }.sorted { $0.key < $1.key }
        return ParameterLayout(trained.map { ($0.key, $0.value.stored.shape) })
    }

    /// Names, without `.weight`, and shapes `[out, in]` of the linear maps.
    package var linearModules: [(name: String, shape: [Int])] {
        weights.compactMap { name, weight in
            guard Self.isLinearMap(name, weight.stored.shape) else { return nil }
            return (String(name.dropLast(".weight".count)), weight.stored.shape)
        }
        .sorted { $0.name < $1.name }
    }

    private static func isLinearMap(_ name: String, _ shape: [Int]) -> Bool {
        name.hasSuffix(".weight") && shape.count == 2
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

    package func table(_ name: String, shape: [Int]) throws(ModelError) -> StoredTensor {
        try base.table(name, shape: shape)
    }
}

/// A set in training, over frozen weights for what the set does not have.
package struct TrainedWeights: ParameterSource, Sendable {
    package let base: Weights
    package let set: ParameterSet

    /// Trains a set that has its numbers.
    package init(base: Weights, set: ParameterSet) {
        self.base = base
        self.set = set
    }

    /// Trains the weights that `isTrained` selects, starting from their values in `base`.
    package init(base: Weights, id: Int, isTrained: (String) -> Bool) {
        self.init(base: base, set: ParameterSet(id: id, layout: base.layout(where: isTrained)))
        let starts = base.stored
        for (name, tensor) in set.tensors {
            guard let start = starts[name] else { continue }
            start.write(to: tensor)
            start.letGo()
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

    package func table(_ name: String, shape: [Int]) throws(ModelError) -> StoredTensor {
        guard set.layout[name] == nil else { return StoredTensor(try parameter(name, shape: shape).value) }
        return try base.table(name, shape: shape)
    }
}

extension LowRankAdapters {
    /// Weights with the adapters added, W + scale · up · down; in memory of their own where adapted.
    package func merged(into weights: Weights, scale: Float = 1) -> Weights {
        var adapted: [String: Tensor] = [:]
        let tape = Tape()
        for (name, weight) in weights.stored where name.hasSuffix(".weight") {
            guard let adapter = adapter(for: String(name.dropLast(".weight".count))) else { continue }
            let update = Tensor.zeros(weight.shape)
            update.setProduct(adapter.up.value, adapter.down.value, on: tape)
            adapted[name] = weight.floats.adding(update, scaledBy: scale * adapter.scale)
        }
        return weights.adding(adapted)
    }
}
