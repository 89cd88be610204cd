import Checkpoints
import Foundation
package import NeuralNetwork
import Tensors

/// A transformer's component folder with a student's adapters added to its weights, for programs that know no adapters.
package enum MergedTransformer {
    /// Writes `config.json` and the weights W + scale · up · down, in the number types they had.
    ///
    /// - Parameter folder: exists; files that are there are replaced.
    package static func write(
        _ adapters: LowRankAdapters,
        scale: Float,
        into model: ModelFolder,
        to folder: String
    ) throws {
        let source = "\(model.path)/transformer"
        let stored = try SafetensorsFolder(path: source)
        var writer = SafetensorsWriter(metadata: ["format": "pt"])
        for (name, tensor) in adapters.merged(into: model.weights, scale: scale).stored {
            writer.add(name, tensor, as: try stored.scalarType(of: name) ?? .float32)
        }
        guard let configuration = FileManager.default.contents(atPath: "\(source)/config.json") else {
            throw ModelError.missingFile(
                path: "\(source)/config.json",
                purpose: "it describes the transformer"
            )
        }
        try writer.write(to: "\(folder)/diffusion_pytorch_model.safetensors")
        try writeAtomically(Array(configuration), to: "\(folder)/config.json")
    }
}
