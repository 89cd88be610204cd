/// Rows and columns of latents.
package struct LatentExtent: Sendable, Equatable {
    package let rows: Int
    package let columns: Int

    /// An extent of so many latent pixels.
    package init(rows: Int, columns: Int) {
        self.rows = rows
        self.columns = columns
    }
}

/// What a model folder's settings say of it, without any weights.
package struct ModelOutline: Sendable {
    package let path: String
    package let configuration: TransformerConfiguration
    /// True when a `vae` stands between the model's latents and pixels.
    package let hasAutoencoder: Bool
    /// True when T5 is among the text encoders.
    package let hasT5: Bool

    /// Reads `model_index.json` and the transformer's `config.json`.
    package init(path: String) throws(ModelError) {
        try self.init(path: path, index: Self.index(of: path))
    }

    init(path: String, index: ConfigurationFile) throws(ModelError) {
        self.path = path
        configuration = try TransformerConfiguration(folder: "\(path)/transformer")
        hasAutoencoder = index.componentClass("vae") != nil
        hasT5 = index.componentClass("text_encoder_3") != nil
    }

    /// The `model_index.json` of a folder, if it is of this family.
    static func index(of path: String) throws(ModelError) -> ConfigurationFile {
        let index = try ConfigurationFile(
            path: "\(path)/model_index.json",
            purpose: "a model folder as diffusers writes it has one"
        )
        let name = index.string("_class_name")
        guard name == "StableDiffusion3Pipeline" else {
            throw .unsupported(
                path: index.path,
                field: "_class_name",
                value: name ?? "absent",
                expected: "StableDiffusion3Pipeline"
            )
        }
        return index
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

    /// Pixels along the side of a latent pixel; 1 where latents are pixels.
    package func pixelsPerLatent() throws(ModelError) -> Int {
        guard hasAutoencoder else { return 1 }
        let file = try ConfigurationFile(
            path: "\(path)/vae/config.json",
            purpose: "it describes the autoencoder"
        )
        return try AutoencoderConfiguration(file).pixelsPerLatent
    }

    /// What makes encodings of prompts, its encoders unopened.
    package func textPipeline() throws(ModelError) -> TextPipeline {
        try TextPipeline(folder: path, index: Self.index(of: path), transformer: configuration)
    }

    /// Shape of a sample's latents, `[channels, height, width]`.
    ///
    /// - Parameter extent: nil for the one the model was trained on.
    package func latentShape(_ extent: LatentExtent? = nil) -> [Int] {
        let side = configuration.sampleSize
        return [configuration.inChannels, extent?.rows ?? side, extent?.columns ?? side]
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
}
