import NeuralNetwork
import Tensors

/// A discriminator's parameters: those in training, one set of weights, adapters and heads, over the teacher's frozen
/// weights.
struct DiscriminatorWeights: ParameterSource, Sendable {
    let base: Weights
    let set: ParameterSet

    /// - Parameters:
    ///   - teacher: weights to start from; those that stay frozen are shared with it.
    ///   - heads: names and shapes of the heads' parameters.
    ///   - id: number of the new parameter set.
    init(
        _ teacher: Weights,
        _ shape: DiscriminatorShape,
        heads: [(name: String, shape: [Int])],
        id: Int,
        seed: UInt64
    ) {
        var initial: [String: StoredTensor] = [:]
        for (index, (name, shape)) in heads.enumerated() {
            initial[name] = StoredTensor(
                DiscriminatorHead.initial(name, shape: shape, seed: seed, stream: UInt64(index))
            )
        }
        switch shape.mode {
        case .full:
            initial.merge(teacher.stored.filter { TransformerTrunk.isTrainable($0.key, depth: shape.depth) })
            { head, _ in
                head
            }
        case .lora:
            let adapters = LowRankAdapters(
                rank: shape.rank,
                modules: teacher.linearModules.filter {
                    Self.isAdapted($0.name + ".weight")
                        && TransformerTrunk.isTrainable($0.name + ".weight", depth: shape.depth)
                },
                targets: Self.adapted,
                id: id
            )
            adapters.initialize(seed: seed)
            for (name, tensor) in adapters.parameters.tensors {
                initial[name] = StoredTensor(tensor)
            }
        case .frozen: break
        }
        let sorted = initial.sorted { $0.key < $1.key }
        base = teacher
        set = ParameterSet(id: id, layout: ParameterLayout(sorted.map { ($0.key, $0.value.shape) }))
        for (name, tensor) in set.tensors {
            guard let value = initial[name] else { continue }
            value.write(to: tensor)
            value.letGo()
        }
    }

    /// The linear maps that adapters go to: those of both attention streams and feed-forwards.
    private static let adapted = [
        "to_q", "to_k", "to_v", "to_out.0", "add_q_proj", "add_k_proj", "add_v_proj", "to_add_out",
        "ff.net.0.proj", "ff.net.2", "ff_context.net.0.proj", "ff_context.net.2",
    ]

    /// True for the weights of such maps.
    static func isAdapted(_ name: String) -> Bool {
        name.hasPrefix("transformer_blocks.") && name.hasSuffix(".weight")
            && LowRankAdapters.matches(String(name.dropLast(".weight".count)), adapted)
    }

    func parameter(_ name: String, shape: [Int]) throws(ModelError) -> Parameter {
        guard let parameter = set.parameter(named: name) else {
            return try base.parameter(name, shape: shape)
        }
        guard parameter.value.shape == shape else {
            throw .wrongShape(name: name, file: base.origin, expected: shape, found: parameter.value.shape)
        }
        return parameter
    }

    func table(_ name: String, shape: [Int]) throws(ModelError) -> StoredTensor {
        guard set.layout[name] == nil else { return StoredTensor(try parameter(name, shape: shape).value) }
        return try base.table(name, shape: shape)
    }

    func adapter(for module: String) -> LowRankAdapter? {
        guard
            let down = set.parameter(named: module + ".lora_A.weight"),
            let up = set.parameter(named: module + ".lora_B.weight")
        else { return nil }
        return LowRankAdapter(down: down, up: up, scale: 1)
    }
}
