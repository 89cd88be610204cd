package import DiffusionModels
package import Distillation
import Evaluation
import FlowMatching
import ImageFiles
package import Tensors

/// A loaded model with the lanes it draws on; every call blocks its thread for as long as it computes.
package struct ModelSampler: Sendable {
    /// Prompts encoded at once; more only take memory.
    private static let encodingBatch = 32

    package let model: ModelFolder
    package let teacher: VelocityTransformer
    package let pool: LanePool

    /// Opens a model folder; `lanes` threads share the samples.
    package init(modelPath: String, lanes: Int) throws {
        model = try ModelFolder(path: modelPath)
        teacher = try model.makeTransformer()
        pool = LanePool(count: lanes)
    }

    /// Encodings of prompts, in order; at least one prompt.
    package func encode(_ prompts: [String]) -> EncodedText {
        precondition(!prompts.isEmpty, "there is a prompt to encode")
        let parts = stride(from: 0, to: prompts.count, by: Self.encodingBatch).map { start in
            let batch = prompts[start..<min(start + Self.encodingBatch, prompts.count)]
            return model.text.encode(Array(batch), on: pool.lanes[0].tape)
        }
        return parts.dropFirst().reduce(parts[0]) { $0.appending($1) }
    }

    /// Standard normal latents `[count, C, H, W]`, those of a sample the same whatever the count.
    package func noise(count: Int, seed: UInt64) -> Tensor {
        noise(of: (0..<count).map { (prompt: $0, number: 0) }, seed: seed)
    }

    /// Standard normal latents `[samples, C, H, W]`, each following from the seed, its prompt's position and its own
    /// number alone.
    package func noise(of samples: [(prompt: Int, number: Int)], seed: UInt64) -> Tensor {
        let shape = Array(model.latentShape(count: 1).dropFirst())
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

    /// Throws for a model whose latents no decoder here turns into pixels.
    package func checkDrawsPixels() throws(ModelError) {
        guard !model.hasAutoencoder else {
            throw .unsupported(
                path: "\(model.path)/model_index.json",
                field: "vae",
                value: "present",
                expected: "a model of pixels: pictures of latents are not decoded"
            )
        }
        guard model.configuration.inChannels == 3 else {
            throw .unsupported(
                path: "\(model.path)/transformer/config.json",
                field: "in_channels",
                value: "\(model.configuration.inChannels)",
                expected: "3, red, green and blue"
            )
        }
    }
}
