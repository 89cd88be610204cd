package import Checkpoints
package import NeuralNetwork
import Tensors

/// A student as a file with kohya's keys, which ComfyUI and kohya's tools load: `lora_unet_<module>.lora_down.weight`,
/// `….lora_up.weight` and `….alpha`, modules named as in Stability AI's layout.
///
/// Adapters of queries, keys and values become one of their joint map, of three times the rank.
package enum KohyaAdapterFile {
    package static let name = "comfyui_lora.safetensors"
    static let prefix = "lora_unet_"

    /// - Throws: for an adapted map that has no place in Stability AI's layout.
    package static func writer(_ adapters: LowRankAdapters, layerCount: Int) throws(ModelError)
        -> SafetensorsWriter
    {
        var groups: [String: [(place: NativeModule, adapter: LowRankAdapter)]] = [:]
        for module in adapters.modules {
            guard let place = NativeModule(module, layerCount: layerCount),
                let adapter = adapters.adapter(for: module)
            else {
                throw .unsupported(
                    path: name,
                    field: "adapter",
                    value: module,
                    expected: "a linear map of a Stable Diffusion 3 transformer"
                )
            }
            groups[place.name, default: []].append((place, adapter))
        }
        var writer = SafetensorsWriter(metadata: ["modelspec.architecture": "stable-diffusion-v3/lora"])
        for (name, members) in groups {
            let key = prefix + name.replacing(".", with: "_")
            let rank = members.count * adapters.rank
            writer.add(key + ".lora_down.weight", .concatenated(members.map(\.adapter.down.value)))
            writer.add(key + ".lora_up.weight", joinedUp(members))
            // The scale is alpha / rank.
            writer.add(key + ".alpha", Tensor(scalar: Float(rank) * (members.first?.adapter.scale ?? 1)))
        }
        return writer
    }

    /// `[outputs of the joint map, ranks one after another]`: each part's own outputs meet its own ranks alone.
    private static func joinedUp(_ members: [(place: NativeModule, adapter: LowRankAdapter)]) -> Tensor {
        .joinedColumns(
            members.map { place, adapter in
                let up = adapter.up.value
                if place.swapsHalves { return up.withHalvesSwapped }
                guard let part = place.part else { return up }
                let nothing = Tensor.zeros(up.shape)
                return .concatenated((0..<3).map { $0 == part ? up : nothing })
            }
        )
    }
}

extension Tensor {
    /// The second half of the rows before the first.
    var withHalvesSwapped: Tensor {
        let half = shape[0] / 2
        return .concatenated([rows(half..<shape[0]), rows(0..<half)])
    }
}

extension LowRankAdapters {
    /// The adapted linear maps, in order.
    package var modules: [String] {
        let suffix = ".lora_A.weight"
        return parameters.layout.entries.map(\.name).filter { $0.hasSuffix(suffix) }
            .map { String($0.dropLast(suffix.count)) }
    }
}
