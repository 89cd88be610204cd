package import Checkpoints
import Foundation
package import Tensors

/// A text-to-image model as diffusers writes it for Stable Diffusion 3.
///
/// The transformer's weights are held once and shared by everything made from them: teacher, student beside what it has
/// of its own, discriminator at its start.
package struct ModelFolder: Sendable {
    package let outline: ModelOutline
    /// The timestep shift of the model's scheduler, 3 for Stable Diffusion 3.
    package let shift: Double
    /// The transformer's weights.
    package let weights: Weights
    package private(set) var text: TextPipeline

    package var path: String { outline.path }
    package var configuration: TransformerConfiguration { outline.configuration }
    /// True when a `vae` stands between the model's latents and pixels.
    package var hasAutoencoder: Bool { outline.hasAutoencoder }

    /// When text encoders are opened, which a process with kept encodings may never need.
    package enum TextOpening: Sendable {
        case atOnce, whenNeeded
    }

    /// Opens a folder and reads its weights; every missing or wrong piece is an error that names it.
    package init(path: String, text opening: TextOpening = .atOnce) throws {
        let index = try ModelOutline.index(of: path)
        let outline = try ModelOutline(path: path, index: index)
        let transformer = "\(path)/transformer"
        self.outline = outline
        shift = try Self.shift(path: "\(path)/scheduler/scheduler_config.json")
        weights = Weights(
            origin: transformer,
            stored: try SafetensorsFolder(path: transformer).storedTensors()
        )
        text = try TextPipeline(folder: path, index: index, transformer: outline.configuration)
        if opening == .atOnce { try text.open() }
    }

    /// The same model with its prompts' encodings kept in a folder, at most `byteLimit` bytes of them.
    package func keepingEncodings(in folder: String, byteLimit: Int) throws -> ModelFolder {
        var model = self
        model.text = try text.caching(in: folder, byteLimit: byteLimit)
        return model
    }

    /// The teacher, or any network over the same weights.
    ///
    /// - Parameter precision: of products with the weights.
    package func makeTransformer(
        precision: Precision = .float32
    ) throws(ModelError) -> VelocityTransformer {
        try VelocityTransformer(configuration, from: weights.packed(precision))
    }

    /// What stands between the model's latents and pixels; nil where latents are pixels.
    package func makeAutoencoder() throws -> Autoencoder? { try outline.makeAutoencoder() }

    /// Shape of `count` latents, `[count, channels, height, width]`.
    ///
    /// - Parameter extent: nil for the one the model was trained on.
    package func latentShape(count: Int, _ extent: LatentExtent? = nil) -> [Int] {
        [count] + outline.latentShape(extent)
    }

    /// The latents of a picture of so many pixels; both sides are whole patches within the position table.
    package func latentExtent(height: Int, width: Int, pixelsPerLatent: Int) throws(ModelError)
        -> LatentExtent
    {
        try outline.latentExtent(height: height, width: width, pixelsPerLatent: pixelsPerLatent)
    }

    /// Tells this teacher from another: a hash of its transformer's and text encoders' weights and settings.
    package func contentDigest() throws(CheckpointError) -> ContentDigest {
        try ContentDigest(ofFolder: path)
    }

    private static func shift(path: String) throws(ModelError) -> Double {
        let file = try ConfigurationFile(path: path, purpose: "it gives the timestep shift")
        guard file.string("_class_name") == "FlowMatchEulerDiscreteScheduler" else {
            throw .unsupported(
                path: path,
                field: "_class_name",
                value: file.string("_class_name") ?? "absent",
                expected: "FlowMatchEulerDiscreteScheduler"
            )
        }
        guard try !file.isTrue("use_dynamic_shifting") else {
            throw .unsupported(path: path, field: "use_dynamic_shifting", value: "true", expected: "false")
        }
        let shift = try file.number("shift", or: 1)
        guard shift > 0 else {
            throw .unsupported(path: path, field: "shift", value: "\(shift)", expected: "a positive number")
        }
        return Double(shift)
    }
}
