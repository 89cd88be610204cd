package import Checkpoints
package import NeuralNetwork

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
}
