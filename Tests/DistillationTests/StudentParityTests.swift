import Checkpoints
import DiffusionModels
import Distillation
import FlowMatching
import NeuralNetwork
import Tensors
import TestSupport
import Testing

/// Four steps of a student that diffusers and PEFT saved, against their pipeline
/// (`Scripts/reference/make_student_reference.py`).
@Suite struct StudentParityTests {
    private let folder = Repository.fixture("models/sd35-medium")

    /// The latents after four rectified steps without guidance.
    private func latents(_ network: VelocityTransformer, _ reference: SafetensorsFile) throws -> Tensor {
        let text = EncodedText(
            context: try reference.tensor(named: "prompt_embeds"),
            pooled: try reference.tensor(named: "pooled_prompt_embeds")
        )
        let sampler = FewStepSampler(network, schedule: .rectified(stepCount: 4, shift: 3), guidanceScale: 1)
        return sampler.sample(
            from: try reference.tensor(named: "noise"),
            conditional: text,
            unconditional: text.rows(0..<1),
            pool: LanePool(count: 1)
        )
    }

    @Test func `the latents of four steps are those of diffusers with and without the student`() throws {
        let reference = try SafetensorsFile(path: folder + "/student/sampled.safetensors")
        let transformer = folder + "/transformer"
        let configuration = try TransformerConfiguration(folder: transformer)
        let weights = Weights(
            origin: transformer,
            tensors: try SafetensorsFolder(path: transformer).tensors()
        )
        let adapters = try AdapterImport(
            path: folder + "/student/" + AdapterFile.name,
            for: weights,
            layerCount: configuration.layerCount
        ).adapters(for: weights)
        let bare = try latents(VelocityTransformer(configuration, from: weights), reference)
        #expect(relativeError(bare, try reference.tensor(named: "expected.bare")) < 1e-4)

        let expected = try reference.tensor(named: "expected.latents")
        #expect(relativeError(bare, expected) > 1e-2)
        let student = AdaptedWeights(base: weights, adapters: adapters)
        let merged = adapters.merged(into: weights)
        for found in [
            try latents(VelocityTransformer(configuration, from: student), reference),
            try latents(VelocityTransformer(configuration, from: merged), reference),
        ] {
            #expect(relativeError(found, expected) < 1e-4)
            #expect(found.largestAbsoluteDifference(to: expected) < 1e-3)
        }
    }
}
