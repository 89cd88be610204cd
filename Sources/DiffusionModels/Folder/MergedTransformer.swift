import Checkpoints
import Foundation
import NeuralNetwork
package import Tensors

/// A transformer's component folder with a student's weights, or its teacher's with the adapters added, for diffusers
/// and programs that know no adapters.
package enum MergedTransformer {
    /// What diffusers calls the weights.
    package static let weightsName = "diffusion_pytorch_model.safetensors"
    /// What transformers and diffusers look for in a file's metadata.
    static let format = ["format": "pt"]

    /// Writes `config.json` and the weights.
    ///
    /// - Parameters:
    ///   - scale: of adapters, W + scale · up · down; 1 is the student.
    ///   - type: of the numbers; nil: with adapters added what the teacher's have, of a full student the 32-bit floats that
    ///     it was trained and measured in.
    ///   - metadata: what the file says of the student.
    ///   - folder: exists; files that are there are replaced.
    package static func write(
        _ student: Student,
        scale: Float = 1,
        as type: ScalarType? = nil,
        of model: ModelFolder,
        metadata: [String: String],
        to folder: String
    ) throws {
        let source = "\(model.path)/transformer"
        let stored = try SafetensorsFolder(path: source)
        var writer = SafetensorsWriter(metadata: metadata.merging(format) { $1 })
        switch student {
        case .adapters(let adapters):
            for (name, tensor) in adapters.merged(into: model.weights, scale: scale).stored {
                writer.add(name, tensor, as: try type ?? stored.scalarType(of: name) ?? .float32)
            }
        case .weights(let set):
            for (name, tensor) in model.weights.replacing(set).stored {
                writer.add(name, tensor, as: type ?? .float32)
            }
        }
        guard let configuration = FileManager.default.contents(atPath: "\(source)/config.json") else {
            throw ModelError.missingFile(
                path: "\(source)/config.json",
                purpose: "it describes the transformer"
            )
        }
        try writer.write(to: "\(folder)/\(weightsName)")
        try writeAtomically(Array(configuration), to: "\(folder)/config.json")
    }
}
