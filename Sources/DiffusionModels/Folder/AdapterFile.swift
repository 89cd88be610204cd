package import Checkpoints
package import NeuralNetwork
import Tensors

/// A student as a file: `pytorch_lora_weights.safetensors`, which diffusers loads as it is.
///
/// Keys are `transformer.<module>.lora_A.weight` and `….lora_B.weight`; alpha is the rank, as diffusers assumes
/// where a file gives none.
package enum AdapterFile {
    /// What diffusers calls the file.
    package static let name = "pytorch_lora_weights.safetensors"
    /// Where diffusers looks for PEFT's settings.
    static let metadataKey = "lora_adapter_metadata"
    private static let prefix = "transformer."

    /// The file of some adapters.
    ///
    /// - Parameter metadata: what the file says beside PEFT's settings.
    package static func writer(
        _ adapters: LowRankAdapters,
        metadata: [String: String] = [:]
    ) -> SafetensorsWriter {
        let own = ["format": "pt", metadataKey: settings(of: adapters)]
        var writer = SafetensorsWriter(metadata: metadata.merging(own) { _, own in own })
        for (name, tensor) in adapters.parameters.tensors { writer.add(prefix + name, tensor) }
        return writer
    }

    /// PEFT's settings as diffusers keeps them in a file: JSON, `transformer.` before every name.
    private static func settings(of adapters: LowRankAdapters) -> String {
        let modules = adapters.modules.sorted().map { "\"\($0)\"" }.joined(separator: ", ")
        return """
            {"transformer.lora_alpha": \(adapters.rank), "transformer.r": \(adapters.rank), \
            "transformer.target_modules": [\(modules)]}
            """
    }

    /// Reads adapters for the linear maps of `weights`; every key must belong to one of them.
    package static func read(_ path: String, for weights: Weights) throws -> LowRankAdapters {
        let file = try SafetensorsFile(path: path)
        let downSuffix = ".lora_A.weight"
        let targets = file.names.filter { $0.hasSuffix(downSuffix) }.map {
            String($0.dropFirst(prefix.count).dropLast(downSuffix.count))
        }
        guard let first = targets.first else {
            throw ModelError.badFile(path: path, reason: "has no adapter (no key ends in \(downSuffix))")
        }
        let modules = weights.linearModules.filter { targets.contains($0.name) }
        let rank = try file.shape(of: prefix + first + downSuffix).first ?? 0
        guard rank >= 1, modules.count == targets.count, file.names.count == 2 * targets.count else {
            throw ModelError.badFile(
                path: path,
                reason: "is not a student of \(weights.origin): its keys are not those of its linear maps"
            )
        }
        let adapters = LowRankAdapters(rank: rank, modules: modules, targets: targets, id: 0)
        for (name, tensor) in adapters.parameters.tensors {
            tensor.copy(from: try file.tensor(named: prefix + name, shape: tensor.shape))
        }
        return adapters
    }
}
