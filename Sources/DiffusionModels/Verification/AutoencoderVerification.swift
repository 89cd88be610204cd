package import Tensors

/// An autoencoder against a reference.
package enum AutoencoderVerification {
    /// - Parameters:
    ///   - folder: the component's, `config.json` beside its weights.
    ///   - reference: `latents` `[B, C, H, W]`, scaled as a diffusion model sees them, to `expected.image`; `image`
    ///     `[B, 3, H, W]` in −1 … 1 to `expected.latents`, the scaled means. Either pair may be missing.
    package static func compare(
        folder: String,
        with reference: ReferenceFile,
        pool: LanePool
    ) throws -> [TensorComparison] {
        let autoencoder = try Autoencoder(folder: folder)
        let configuration = autoencoder.configuration
        let wanted = try reference.outputs(of: .autoencoder, givenBy: ["image", "latents"])
        var outputs: [(name: String, input: Tensor)] = []
        if wanted.contains("image") {
            let latents = try reference.input(
                "latents",
                shape: [nil, configuration.latentChannels, nil, nil]
            )
            outputs.append(("image", latents))
        }
        if wanted.contains("latents") {
            try autoencoder.checkHasEncoder()
            let image = try reference.input("image", shape: [nil, configuration.pictureChannels, nil, nil])
            let cell = configuration.pixelsPerLatent
            guard image.shape[2] % cell == 0, image.shape[3] % cell == 0 else {
                throw ModelError.badFile(
                    path: reference.path,
                    reason: "image is \(image.shape[2]) × \(image.shape[3]), expected multiples of \(cell)"
                )
            }
            outputs.append(("latents", image))
        }
        return try outputs.map { name, input in
            var found = input
            pool.forEachShare(of: 1) { lane, _ in
                found =
                    name == "image"
                    ? autoencoder.decode(input, on: lane.tape) : autoencoder.encode(input, on: lane.tape)
            }
            return try reference.comparison(name, with: found)
        }
    }
}
