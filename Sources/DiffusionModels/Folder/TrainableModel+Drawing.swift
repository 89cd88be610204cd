import Foundation
import Tensors

extension TrainableModel {
    /// Weights drawn anew, as diffusers' `SD3Transformer2DModel` and transformers' `CLIPTextModelWithProjection` begin:
    /// a pure function of the model's settings and the seed.
    package func drawWeights(seed: UInt64) throws(ModelError) -> Weights {
        let inventory = try inventory()
        var shapes = inventory.parameters.merging(inventory.tables) { $1 }
        for (name, shape) in unreadParameters {
            shapes["\(ModelComponent.transformer.rawValue)/\(name)"] = shape
        }
        var tensors: [String: Tensor] = [:]
        for (index, (name, shape)) in shapes.sorted(by: { $0.key < $1.key }).enumerated() {
            var stream = RandomStream(key: seed, stream: UInt64(index))
            if let encoder = Self.encoders.firstIndex(where: { name.hasPrefix($0.rawValue + "/") }) {
                tensors[name] = clip[encoder].initial(name, shape, from: &stream)
            } else if name.hasSuffix("/pos_embed.pos_embed") {
                tensors[name] = outline.configuration.positionTable
            } else {
                let weight = name.hasSuffix(".bias") ? shapes[name.dropLast("bias".count) + "weight"] : shape
                tensors[name] = Self.initial(
                    shape,
                    inputs: weight?.dropFirst().reduce(1, *) ?? 1,
                    from: &stream
                )
            }
        }
        return Weights(origin: "weights drawn for \(outline.path)", tensors: tensors)
    }

    /// What diffusers' last block holds though nobody reads the text's queries there.
    private var unreadParameters: [(name: String, shape: [Int])] {
        let configuration = outline.configuration
        let (width, name) = (configuration.width, "transformer_blocks.\(configuration.layerCount - 1).attn.")
        let norms =
            configuration.normalizesQueriesAndKeys ? [("norm_added_q.weight", [configuration.headWidth])] : []
        return ([("add_q_proj.weight", [width, width]), ("add_q_proj.bias", [width])] + norms)
            .map { (name + $0.0, $0.1) }
    }

    /// Weight or bias of torch's `Linear` and `Conv2d`, U(−1/√inputs, 1/√inputs); norms, of no inputs, begin at one.
    private static func initial(_ shape: [Int], inputs: Int, from stream: inout RandomStream) -> Tensor {
        guard inputs > 1 else { return Tensor(repeating: 1, shape: shape) }
        let bound = 1 / Float(inputs).squareRoot()
        return Tensor(repeating: -bound, shape: shape).adding(stream.uniform(shape), scaledBy: 2 * bound)
    }
}

extension CLIPTextConfiguration {
    /// As `CLIPPreTrainedModel._init_weights`: biases are zero, norms' weights one, matrices normal with the deviation
    /// that their place calls for.
    fileprivate func initial(_ name: String, _ shape: [Int], from stream: inout RandomStream) -> Tensor {
        if name.hasSuffix(".bias") { return .zeros(shape) }
        if shape.count == 1 { return Tensor(repeating: 1, shape: shape) }
        return stream.normal(shape).scaled(by: initializerFactor * deviation(of: name))
    }

    private func deviation(of name: String) -> Float {
        let width = Float(width)
        let deep = 1 / (2 * Float(layerCount) * width).squareRoot()
        switch name.split(separator: ".").dropLast().last {
        case "token_embedding", "position_embedding": return 0.02
        case "q_proj", "k_proj", "v_proj", "fc2": return deep
        case "fc1": return 1 / (2 * width).squareRoot()
        default: return 1 / width.squareRoot()  // out_proj, text_projection
        }
    }
}

extension TransformerConfiguration {
    /// The fixed table of positions, `[1, size², width]`: of each place its column's sines and cosines, then its row's
    /// (diffusers' `get_2d_sincos_pos_embed`).
    fileprivate var positionTable: Tensor {
        let quarter = width / 4
        // Positions are counted in those of the extent that the model is trained on.
        let scale = Double(sampleSize / patchSize) / Double(positionTableSize)
        func features(_ place: Int) -> [Float] {
            let angles = (0..<quarter).map { index in
                Double(place) * scale * pow(10_000, -Double(index) / Double(quarter))
            }
            return angles.map { Float(sin($0)) } + angles.map { Float(cos($0)) }
        }
        let places = (0..<positionTableSize).map(features)
        let values = places.flatMap { row in places.flatMap { column in column + row } }
        return Tensor(values, shape: [1, positionTableSize * positionTableSize, width])
    }
}
