package import DiffusionModels
package import Distillation
import Evaluation
import FlowMatching
package import ImageFiles
package import Tensors

/// A loaded model with the lanes it draws on; every call blocks its thread for as long as it computes.
package struct ModelSampler: Sendable {
    /// Prompts encoded at once; more only take memory.
    private static let encodingBatch = 32

    package let model: ModelFolder
    package let teacher: VelocityTransformer
    package let pool: LanePool

    /// Opens a model folder; `lanes` threads share the samples.
    ///
    /// - Parameter precision: of products with the teacher's weights.
    package init(modelPath: String, lanes: Int, precision: Precision = .float32) throws {
        try self.init(ModelFolder(path: modelPath), lanes: lanes, precision: precision)
    }

    /// Takes an open model; `lanes` threads share the samples.
    package init(_ model: ModelFolder, lanes: Int, precision: Precision = .float32) throws {
        self.model = model
        teacher = try model.makeTransformer(precision: precision)
        pool = LanePool(count: lanes)
    }

    /// Encodings of prompts, in order; at least one prompt.
    package func encode(_ prompts: [String]) throws -> EncodedText {
        precondition(!prompts.isEmpty, "there is a prompt to encode")
        let parts = try stride(from: 0, to: prompts.count, by: Self.encodingBatch).map { start in
            let batch = prompts[start..<min(start + Self.encodingBatch, prompts.count)]
            return try model.text.encode(Array(batch), on: pool.lanes[0].tape)
        }
        return parts.dropFirst().reduce(parts[0]) { $0.appending($1) }
    }

    /// Standard normal latents `[count, C, H, W]`, those of a sample the same whatever the count.
    ///
    /// - Parameter extent: rows and columns of latents; nil for those the model was trained on.
    package func noise(count: Int, extent: LatentExtent? = nil, seed: UInt64) -> Tensor {
        noise(of: (0..<count).map { (prompt: $0, number: 0) }, extent: extent, seed: seed)
    }

    /// Standard normal latents `[samples, C, H, W]`, each following from the seed, its prompt's position and its own
    /// number alone.
    package func noise(
        of samples: [(prompt: Int, number: Int)],
        extent: LatentExtent? = nil,
        seed: UInt64
    ) -> Tensor {
        let shape = Array(model.latentShape(count: 1, extent).dropFirst())
        return .stacked(
            samples.map { prompt, number in
                PromptSample(promptID: UInt64(prompt), sample: UInt32(number), text: "")
                    .noise(shape, seed: seed)
            }
        )
    }

    /// Latents at the end of a schedule, `[count, C, H, W]`.
    package func solve(
        _ sampler: FewStepSampler,
        from noise: Tensor,
        conditional: EncodedText,
        unconditional: EncodedText
    ) -> Tensor {
        sampler.sample(from: noise, conditional: conditional, unconditional: unconditional, pool: pool)
    }

    /// Whether the model's latents are pixels, so that pictures can be made of them.
    package var drawsPixels: Bool { (try? checkDrawsPixels()) != nil }

    /// Throws for a model whose latents are no pixels.
    private func checkDrawsPixels() throws(ModelError) {
        guard !model.hasAutoencoder else {
            throw .unsupported(
                path: "\(model.path)/model_index.json",
                field: "vae",
                value: "present",
                expected: "a model of pixels"
            )
        }
        guard model.configuration.inChannels == 3 else {
            throw .unsupported(
                path: "\(model.path)/transformer/config.json",
                field: "in_channels",
                value: "\(model.configuration.inChannels)",
                expected: "3, red, green and blue, as the model has no vae"
            )
        }
    }

    /// What makes pictures of the model's latents; every missing or wrong piece is an error that names it.
    package func makePictureDecoder() throws -> PictureDecoder {
        if let autoencoder = try model.makeAutoencoder() {
            guard autoencoder.configuration.pictureChannels == 3 else {
                throw ModelError.unsupported(
                    path: "\(model.path)/vae/config.json",
                    field: "out_channels",
                    value: "\(autoencoder.configuration.pictureChannels)",
                    expected: "3, red, green and blue"
                )
            }
            return PictureDecoder(autoencoder: autoencoder, pool: pool)
        }
        try checkDrawsPixels()
        return PictureDecoder(autoencoder: nil, pool: pool)
    }
}

/// Latents to pictures: through an autoencoder, or as they are where latents are pixels.
package struct PictureDecoder: Sendable {
    fileprivate let autoencoder: Autoencoder?
    fileprivate let pool: LanePool

    /// Pixels along the side of a latent pixel.
    package var pixelsPerLatent: Int { autoencoder?.configuration.pixelsPerLatent ?? 1 }

    /// - Parameters:
    ///   - latents: `[samples, channels, rows, columns]`.
    ///   - tile: latent pixels along the side of a tile; nil decodes pictures whole.
    package func pictures(_ latents: Tensor, tile: Int? = nil) -> [Picture] {
        guard let autoencoder else { return Picture.pictures(modelSpace: latents) }
        var pictures: [Picture] = []
        pool.forEachShare(of: 1) { lane, _ in
            for sample in 0..<latents.shape[0] {
                let pixels = autoencoder.decode(latents.rows(sample..<sample + 1), tile: tile, on: lane.tape)
                pictures += Picture.pictures(modelSpace: pixels)
            }
        }
        return pictures
    }
}
