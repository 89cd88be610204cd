import Checkpoints
import Tensors
import TestSupport
import Testing

@testable import DiffusionModels

/// What text encoders are told to take, against what they take.
@Suite struct TextMemoryTests {
    private let clip = ["text_encoder", "text_encoder_2"].map { "\(TextFixture.folder)/\($0)" }
    private let t5 = "\(TextFixture.folder)/text_encoder_3"

    @Test func `a layer's and an encoder's numbers are those of the file`() throws {
        var sizes = try clip.map { folder in
            let layer = try CLIPTextConfiguration(folder: folder).layerSize
            return (folder, layer, CLIPTextLayer.prefix(0))
        }
        let layer = try T5TextConfiguration(folder: t5).layerSize
        sizes.append((t5, layer, "encoder.block.0.layer."))
        for (folder, layer, prefix) in sizes {
            let stored = try SafetensorsFolder(path: folder).storedTensors()
            func numbers(of names: (String) -> Bool) -> Int {
                stored.reduce(0) { $0 + (names($1.key) ? $1.value.count : 0) }
            }
            #expect(layer.encoderWeights == numbers { _ in true }, "\(folder)")
            // T5's first layer has the table that all layers read.
            #expect(
                layer.weights == numbers { $0.hasPrefix(prefix) && !$0.contains("relative_attention_bias") }
            )
        }
    }

    @Test func `an arena holds what is told of a layer's activations`() throws {
        // An arena also has what products work in: so many prompts that it is little, at these widths a tenth.
        let (prompts, tokens) = (1000, 20)
        let rows = [[Int]](repeating: [Int](repeating: 1, count: tokens), count: prompts)
        func expect(
            _ layer: TextLayerSize,
            sourceLocation: SourceLocation = #_sourceLocation,
            _ encode: (Tape) throws -> Void
        ) throws {
            let tape = Tape()
            try encode(tape)
            let ratio = Double(prompts * tokens * layer.floatsPerToken) / Double(tape.arena.peakCount)
            #expect((0.85...1).contains(ratio), sourceLocation: sourceLocation)
        }
        for folder in clip {
            let encoder = try CLIPTextEncoder(folder: folder)
            try expect(encoder.configuration.layerSize) { _ = try encoder(rows, on: $0) }
        }
        let encoder = try T5TextEncoder(folder: t5)
        try expect(encoder.configuration.layerSize) { _ = try encoder(rows, on: $0) }
    }

    @Test func `small encoders are held, and of large ones a layer is in memory at a time`() {
        let small = TextLayerSize(
            count: 3,
            weights: 100,
            encoderWeights: 400,
            vocabularySize: 8,
            floatsPerToken: 7
        )
        let large = TextLayerSize(
            count: 9,
            weights: 1000,
            encoderWeights: 1 << 27,
            vocabularySize: 16,
            floatsPerToken: 5
        )
        let memory = TextMemory([(small, 10), (large, 20)], prompts: 6)
        #expect(memory.heldByteCount == 4 * 3 * 100 + 24 * TextMemory.tokenByteCount)
        #expect(memory.passingByteCount == 4 * 1000)
        #expect(memory.activationByteCount == 4 * 6 * 20 * 5)
    }
}
