package import Checkpoints
import Foundation
package import NeuralNetwork
package import Tensors

/// Rows and columns of latents.
package struct LatentExtent: Sendable, Equatable {
    package let rows: Int
    package let columns: Int
}

/// A text-to-image model as diffusers writes it for Stable Diffusion 3.
///
/// The transformer's weights are held once and shared by everything made from them: teacher, student with its
/// adapters, discriminator at its start.
package struct ModelFolder: Sendable {
    package let path: String
    package let configuration: TransformerConfiguration
    /// The timestep shift of the model's scheduler, 3 for Stable Diffusion 3.
    package let shift: Double
    /// The transformer's weights.
    package let weights: Weights
    package let text: TextPipeline
    /// True when a `vae` stands between the model's latents and pixels.
    package let hasAutoencoder: Bool

    /// Opens a folder and reads its weights; every missing or wrong piece is an error that names it.
    package init(path: String) throws {
        let index = try ConfigurationFile(
            path: "\(path)/model_index.json",
            purpose: "a model folder as diffusers writes it has one"
        )
        let name = index.string("_class_name")
        guard name == "StableDiffusion3Pipeline" else {
            throw ModelError.unsupported(
                path: index.path,
                field: "_class_name",
                value: name ?? "absent",
                expected: "StableDiffusion3Pipeline"
            )
        }
        let transformer = "\(path)/transformer"
        self.path = path
        configuration = try TransformerConfiguration(folder: transformer)
        shift = try Self.shift(path: "\(path)/scheduler/scheduler_config.json")
        weights = Weights(
            origin: transformer,
            stored: try SafetensorsFolder(path: transformer).storedTensors()
        )
        hasAutoencoder = index.componentClass("vae") != nil
        text = try TextPipeline(folder: path, index: index, transformer: configuration)
    }

    /// The teacher, or any network over the same weights.
    ///
    /// - Parameter precision: of products with the weights.
    package func makeTransformer(
        precision: Precision = .float32
    ) throws(ModelError) -> VelocityTransformer {
        try VelocityTransformer(configuration, from: weights.packed(precision))
    }

    /// The network with adapters on its linear maps.
    ///
    /// - Parameter precision: of products with the weights; those with adapters are in 32-bit floats.
    package func makeTransformer(
        adapters: LowRankAdapters,
        precision: Precision = .float32
    ) throws(ModelError) -> VelocityTransformer {
        try VelocityTransformer(
            configuration,
            from: AdaptedWeights(base: weights.packed(precision), adapters: adapters)
        )
    }

    /// What stands between the model's latents and pixels; nil where latents are pixels.
    package func makeAutoencoder() throws -> Autoencoder? {
        guard hasAutoencoder else { return nil }
        let autoencoder = try Autoencoder(folder: "\(path)/vae")
        guard autoencoder.configuration.latentChannels == configuration.inChannels else {
            throw ModelError.unsupported(
                path: "\(path)/vae/config.json",
                field: "latent_channels",
                value: "\(autoencoder.configuration.latentChannels)",
                expected: "\(configuration.inChannels), in_channels of the transformer"
            )
        }
        return autoencoder
    }

    /// Shape of `count` latents, `[count, channels, height, width]`.
    ///
    /// - Parameter extent: nil for the one the model was trained on.
    package func latentShape(count: Int, _ extent: LatentExtent? = nil) -> [Int] {
        let side = configuration.sampleSize
        return [count, configuration.inChannels, extent?.rows ?? side, extent?.columns ?? side]
    }

    /// The latents of a picture of so many pixels; both sides are whole patches within the position table.
    package func latentExtent(height: Int, width: Int, pixelsPerLatent: Int) throws(ModelError)
        -> LatentExtent
    {
        let cell = pixelsPerLatent * configuration.patchSize
        let most = cell * configuration.positionTableSize
        for (field, pixels) in [("height", height), ("width", width)] {
            guard pixels >= cell, pixels % cell == 0, pixels <= most else {
                throw .unsupported(
                    path: "\(path)/transformer/config.json",
                    field: field,
                    value: "\(pixels)",
                    expected: "a multiple of \(cell) up to \(most), as patch_size and pos_embed_max_size say"
                )
            }
        }
        return LatentExtent(rows: height / pixelsPerLatent, columns: width / pixelsPerLatent)
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
        guard !file.isTrue("use_dynamic_shifting") else {
            throw .unsupported(path: path, field: "use_dynamic_shifting", value: "true", expected: "false")
        }
        let shift = try file.number("shift", or: 1)
        guard shift > 0 else {
            throw .unsupported(path: path, field: "shift", value: "\(shift)", expected: "a positive number")
        }
        return Double(shift)
    }
}
