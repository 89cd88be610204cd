import Checkpoints
package import Tensors

/// An autoencoder between pictures and the latents of a diffusion model (Rombach and others 2022; diffusers'
/// `AutoencoderKL`), frozen: nothing flows back through it.
///
/// Latents are those a diffusion model sees: shifted and scaled. Pictures are in model space, −1 … 1.
package struct Autoencoder: Sendable {
    package let configuration: AutoencoderConfiguration
    private let decoder: AutoencoderDecoder
    /// Nil where the folder holds no weight of an encoder: sampling needs none.
    private let encoder: AutoencoderEncoder?
    private let folder: String

    /// Opens a component folder, `config.json` beside its weights.
    package init(folder: String) throws {
        let configuration = try AutoencoderConfiguration(
            ConfigurationFile(path: "\(folder)/config.json", purpose: "it describes the autoencoder")
        )
        let weights = Weights(
            origin: folder,
            stored: try SafetensorsFolder(path: folder).storedTensors()
        )
        self.configuration = configuration
        decoder = try AutoencoderDecoder(configuration, from: weights)
        let hasEncoder = weights.stored.keys.contains { $0.hasPrefix("encoder.") }
        encoder = hasEncoder ? try AutoencoderEncoder(configuration, from: weights) : nil
        self.folder = folder
    }

    /// Throws for a folder that holds a decoder alone.
    package func checkHasEncoder() throws(ModelError) {
        guard encoder != nil else {
            throw .missingFile(
                path: "\(folder): weights of an encoder",
                purpose: "pictures are encoded with them"
            )
        }
    }

    /// Pictures of latents, one after another, each with the help of idle lanes.
    ///
    /// Memory: about three times the largest activation of one picture or tile.
    /// - Parameters:
    ///   - latents: `[samples, latent channels, height, width]`.
    ///   - tile: latent pixels along the side of a tile, at least 8; nil decodes pictures whole.
    /// - Returns: `[samples, picture channels, pixels, pixels]`.
    package func decode(_ latents: Tensor, tile: Int? = nil, on tape: Tape) -> Tensor {
        .stacked(
            (0..<latents.shape[0]).map { sample in
                let unscaled = unscaled(latents.row(sample))
                guard let tile, max(unscaled.shape[1], unscaled.shape[2]) > tile else {
                    return decoder(unscaled.channelsLast, on: tape).channelsFirst
                }
                let tiling = Tiling(size: tile, growth: configuration.pixelsPerLatent)
                return tiling.map(unscaled) { decoder($0.channelsLast, on: tape).channelsFirst }
            }
        )
    }

    /// The means of pictures' latents, from an autoencoder that passes ``checkHasEncoder()``.
    ///
    /// - Parameter pictures: `[samples, picture channels, height, width]`, whole latent pixels.
    /// - Returns: `[samples, latent channels, rows, columns]`.
    package func encode(_ pictures: Tensor, on tape: Tape) -> Tensor {
        guard let encoder else { preconditionFailure("an autoencoder without an encoder") }
        return .stacked(
            (0..<pictures.shape[0]).map { sample in
                scaled(encoder(pictures.row(sample).channelsLast, on: tape).channelsFirst)
            }
        )
    }

    private func unscaled(_ latents: Tensor) -> Tensor {
        Tensor(repeating: configuration.shift, shape: latents.shape)
            .adding(latents, scaledBy: 1 / configuration.scale)
    }

    private func scaled(_ latents: Tensor) -> Tensor {
        latents.adding(Tensor(repeating: -configuration.shift, shape: latents.shape))
            .scaled(by: configuration.scale)
    }
}
