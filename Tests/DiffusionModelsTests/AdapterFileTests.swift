import Checkpoints
import DiffusionModels
import NeuralNetwork
import Tensors
import TestSupport
import Testing

/// Students as files for diffusers and ComfyUI, and other programs' adapters read back.
@Suite struct AdapterFileTests {
    private let weights: Weights
    private let layerCount: Int
    private let adapters: LowRankAdapters

    init() throws {
        let folder = Repository.fixture("models/sd35-medium/transformer")
        weights = Weights(origin: folder, tensors: try SafetensorsFolder(path: folder).tensors())
        layerCount = try TransformerConfiguration(folder: folder).layerCount
        adapters = LowRankAdapters(
            rank: 2,
            modules: weights.linearModules,
            targets: ["to_q", "to_v", "attn2.to_k", "add_q_proj", "net.2", "linear", "linear_1", "proj_out"],
            id: 0
        )
        for (index, (_, tensor)) in adapters.parameters.tensors.enumerated() {
            tensor.copy(from: randomTensor(tensor.shape, seed: UInt64(index)))
        }
    }

    /// max |x − y| over the updates of all maps.
    private func difference(_ left: LowRankAdapters, _ right: LowRankAdapters) throws -> Float {
        #expect(left.modules == right.modules)
        let (a, b) = (left.merged(into: weights).stored, right.merged(into: weights).stored)
        return try a.map { name, tensor in
            tensor.floats.largestAbsoluteDifference(to: try #require(b[name]).floats)
        }.max() ?? .infinity
    }

    private func imported(_ path: String) throws -> LowRankAdapters {
        try AdapterImport(path: path, for: weights, layerCount: layerCount).adapters(for: weights)
    }

    @Test func `a student comes back from diffusers' file bit for bit`() throws {
        try TemporaryFile.with { path in
            try AdapterFile.writer(adapters).write(to: path)
            let read = try imported(path)
            #expect(read.rank == adapters.rank)
            #expect(read.parameters.layout == adapters.parameters.layout)
            #expect(read.parameters.values.values == adapters.parameters.values.values)
        }
    }

    @Test func `a student comes back from ComfyUI's file, joint maps taken apart again`() throws {
        try TemporaryFile.with { path in
            try KohyaAdapterFile.writer(adapters, layerCount: layerCount).write(to: path)
            let file = try SafetensorsFile(path: path)
            // Three of the three maps of block 0 are one, of which two are adapted.
            let joint = "lora_unet_joint_blocks_0_x_block_attn_qkv"
            #expect(try file.shape(of: joint + ".lora_down.weight") == [4, 24])
            #expect(try file.shape(of: joint + ".lora_up.weight") == [72, 4])
            #expect(try file.tensor(named: joint + ".alpha").values == [4])
            let read = try imported(path)
            #expect(read.rank == adapters.rank)
            #expect(try difference(read, adapters) < 1e-5)
        }
    }

    @Test func `alphas and PEFT's settings scale what is read`() throws {
        let module = "transformer_blocks.1.attn.to_q"
        let adapter = try #require(adapters.adapter(for: module))
        let expected = adapter.up.value.scaled(by: 3)
        try TemporaryFile.with { path in
            var writer = SafetensorsWriter()
            writer.add(module + ".lora.down.weight", adapter.down.value)
            writer.add(module + ".lora.up.weight", adapter.up.value)
            writer.add(module + ".alpha", Tensor(scalar: 6))
            try writer.write(to: path)
            let read = try imported(path).adapter(for: module)
            #expect(read?.up.value.values == expected.values)
        }
        try TemporaryFile.with { path in
            let settings = #"{"transformer.lora_alpha": 1, "transformer.alpha_pattern": {"attn.to_q": 6}}"#
            var writer = SafetensorsWriter(metadata: ["lora_adapter_metadata": settings])
            writer.add("transformer.\(module).lora_A.weight", adapter.down.value)
            writer.add("transformer.\(module).lora_B.weight", adapter.up.value)
            try writer.write(to: path)
            let read = try imported(path).adapter(for: module)
            #expect(read?.up.value.values == expected.values)
        }
    }

    @Test func `adapters in training begin where a file of less rank ends`() throws {
        try TemporaryFile.with { path in
            try AdapterFile.writer(adapters).write(to: path)
            let larger = LowRankAdapters(
                rank: 5,
                modules: weights.linearModules,
                targets: adapters.modules + ["attn.to_k"],
                id: 1
            )
            larger.initialize(seed: 1)
            let file = try AdapterImport(path: path, for: weights, layerCount: layerCount)
            try file.initialize(larger)
            let (a, b) = (larger.merged(into: weights).stored, adapters.merged(into: weights).stored)
            for (name, tensor) in a {
                let other = try #require(b[name])
                #expect(tensor.floats.largestAbsoluteDifference(to: other.floats) < 1e-5, "\(name)")
            }
            let fewer = LowRankAdapters(rank: 5, modules: weights.linearModules, targets: ["to_q"], id: 1)
            #expect(throws: ModelError.self) { try file.initialize(fewer) }
            let smaller = LowRankAdapters(
                rank: 1,
                modules: weights.linearModules,
                targets: adapters.modules,
                id: 1
            )
            #expect(throws: ModelError.self) { try file.initialize(smaller) }
        }
    }

    @Test func `an adapter of nothing, or half of one, is refused by its key`() throws {
        let matrix = Tensor.zeros([2, 24])
        for (keys, expected) in [
            (["transformer.blocks.0.lora_A.weight", "transformer.blocks.0.lora_B.weight"], "adapts nothing"),
            (["transformer.proj_out.lora_A.weight"], "has no other half"),
            (
                [
                    "transformer.proj_out.lora_B.weight", "transformer.norm_out.linear.lora_A.weight",
                    "transformer.norm_out.linear.lora_B.weight",
                ],
                "has no other half"
            ),
            (["transformer.proj_out.magnitude"], "is no part of a low-rank adapter"),
        ] {
            try TemporaryFile.with { path in
                try SafetensorsWriter(Dictionary(uniqueKeysWithValues: keys.map { ($0, matrix) })).write(
                    to: path
                )
                let error = try #require(throws: ModelError.self) { try imported(path) }
                #expect(error.description.contains(keys[0]) && error.description.contains(expected))
            }
        }
    }
}
