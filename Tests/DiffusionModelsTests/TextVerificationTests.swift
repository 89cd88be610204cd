import Checkpoints
import DiffusionModels
import Foundation
import Tensors
import TestSupport
import Testing

/// Text encoders and tokenizers against transformers, on small models of other shapes than the teacher's.
@Suite struct TextVerificationTests {
    @Test(arguments: [ModelComponent.textEncoder, .textEncoder2, .textEncoder3])
    func `a text encoder's outputs are those of transformers`(component: ModelComponent) throws {
        let comparisons = try TextEncoderVerification.compare(
            component,
            folder: component.folder(in: TextFixture.folder),
            with: ReferenceFile(path: "\(TextFixture.folder)/\(component.rawValue).safetensors"),
            tape: Tape()
        )
        #expect(comparisons.count == (component == .textEncoder3 ? 1 : 2))
        for comparison in comparisons { #expect(comparison.isWithin(1e-4), "\(comparison)") }
    }

    @Test(arguments: [ModelComponent.tokenizer, .tokenizer2, .tokenizer3])
    func `hard lines and lines in many scripts become the tokens of transformers`(
        component: ModelComponent
    ) throws {
        let comparison = try TokenizerVerification(
            component,
            folder: component.folder(in: TextFixture.folder),
            reference: "\(TextFixture.folder)/\(component.rawValue).jsonl"
        )
        #expect(comparison.lineCount > 290)
        #expect(comparison.first == nil)
        #expect(comparison.differentCount == 0)
    }

    @Test func `T5's pieces give the same tokens from spiece.model as from tokenizer.json`() throws {
        try TextFixture.withModel { path in
            try FileManager.default.removeItem(atPath: "\(path)/tokenizer_3")
            try FileManager.default.moveItem(
                atPath: "\(path)/tokenizer_3_spiece",
                toPath: "\(path)/tokenizer_3"
            )
            let comparison = try TokenizerVerification(
                .tokenizer3,
                folder: "\(path)/tokenizer_3",
                reference: "\(path)/tokenizer_3.jsonl"
            )
            #expect(comparison.lineCount > 290)
            #expect(comparison.first == nil)
        }
    }

    @Test func `the first line that differs is told`() throws {
        try TextFixture.withModel { path in
            let reference = "\(path)/reference.jsonl"
            let lines = [
                #"{"text": "a cat", "input_ids": [912, 320, 515, 913]}"#,
                #"{"text": "", "input_ids": [912, 0, 913]}"#,
            ]
            try lines.joined(separator: "\n").write(toFile: reference, atomically: true, encoding: .utf8)
            let comparison = try TokenizerVerification(
                .tokenizer,
                folder: "\(path)/tokenizer",
                reference: reference
            )
            #expect(comparison.lineCount == 2)
            #expect(comparison.differentCount >= 1)
            let last = try #require(comparison.first)
            #expect(last.found != last.expected)
            try "{\"text\": 3}\n".write(toFile: reference, atomically: true, encoding: .utf8)
            let error = try #require(throws: ModelError.self) {
                try TokenizerVerification(.tokenizer, folder: "\(path)/tokenizer", reference: reference)
            }
            #expect(error.description.contains("reference.jsonl: line 1 is no"))
        }
    }

    @Test func `a text longer than asked for keeps the end token, a shorter one is padded`() throws {
        let tokenizer = try T5Tokenizer(folder: "\(TextFixture.folder)/tokenizer_3")
        let whole = tokenizer.encode("the end of the day")
        #expect(whole.last == 1)
        #expect(tokenizer.encode("the end of the day", length: 3) == Array(whole.prefix(2)) + [1])
        #expect(tokenizer.encode("", length: 3) == [1, 0, 0])
        #expect(tokenizer.vocabularySize == 1100)
    }
}

/// What a person is told about text encoders and tokenizers that cannot be used.
@Suite struct TextFolderErrorTests {
    private func message(_ damage: (String) throws -> Void) throws -> String {
        var message = "nothing"
        try TextFixture.withModel { path in
            try damage(path)
            do {
                _ = try ModelFolder(path: path)
            } catch {
                message = "\(error)"
            }
        }
        return message
    }

    @Test func `a shard that is missing or broken is named`() throws {
        let shard = "model-00001-of-00002.safetensors"
        let missing = try message { path in
            try FileManager.default.removeItem(atPath: "\(path)/text_encoder_3/\(shard)")
        }
        #expect(missing.contains("text_encoder_3/model.safetensors.index.json: names the shard '\(shard)'"))
        let cut = try message { path in
            let url = URL(filePath: "\(path)/text_encoder_2/\(shard)")
            try Data(contentsOf: url).prefix(30_000).write(to: url)
        }
        #expect(cut.contains("text_encoder_2/\(shard): truncated"))
        let spoiled = try message { path in
            let url = URL(filePath: "\(path)/text_encoder_3/\(shard)")
            var bytes = try Data(contentsOf: url)
            bytes[12] = 0xFF
            try bytes.write(to: url)
        }
        #expect(spoiled.contains("text_encoder_3/\(shard): not a safetensors file"))
    }

    @Test func `weights of a type that is not served are named with tensor and type`() throws {
        let text = try message { path in
            let name = "\(path)/text_encoder/model.safetensors"
            var writer = SafetensorsWriter()
            let file = try SafetensorsFile(path: name)
            let wrong = "text_model.encoder.layers.1.mlp.fc1.weight"
            for tensor in file.names {
                let shape = try file.shape(of: tensor)
                if tensor == wrong {
                    writer.add(tensor, integers: [Int](repeating: 1, count: shape.reduce(1, *)), shape: shape)
                } else {
                    writer.add(tensor, try file.tensor(named: tensor))
                }
            }
            try writer.write(to: name)
        }
        #expect(
            text.contains(
                "text_encoder/model.safetensors: tensor text_model.encoder.layers.1.mlp.fc1.weight is I64"
            )
        )
    }

    @Test(arguments: [
        ("text_encoder_3", "model_type", "umt5", "model_type is umt5, expected t5"),
        ("text_encoder_3", "feed_forward_proj", "gated-mish", "feed_forward_proj is mish"),
        (
            "text_encoder", "architectures", "CLIPTextModel",
            "architectures is CLIPTextModel, expected CLIPTextModelWith"
        ),
        ("text_encoder_2", "model_type", "clip_vision_model", "model_type is clip_vision_model"),
    ])
    func `a configuration of another family is refused by its field`(
        component: String,
        field: String,
        value: String,
        problem: String
    ) throws {
        let text = try message { path in
            try TextFixture.edit("\(path)/\(component)/config.json") { $0[field] = value }
        }
        #expect(text.contains("\(component)/config.json: \(problem)"))
    }

    @Test(arguments: [
        ("text_encoder_3", "d_ff", 29, "tensor encoder.block.0.layer.1.DenseReluDense.wi_0.weight has shape"),
        ("text_encoder_3", "num_layers", 4, "tensor encoder.block.3.layer.0.layer_norm.weight is missing"),
        ("text_encoder_3", "vocab_size", 900, "tensor shared.weight has shape"),
        ("text_encoder", "num_hidden_layers", 5, "text_model.encoder.layers.3.layer_norm1.weight is missing"),
    ])
    func `a configuration of other extents is refused by the first tensor that does not fit`(
        component: String,
        field: String,
        value: Int,
        problem: String
    ) throws {
        let text = try message { path in
            try TextFixture.edit("\(path)/\(component)/config.json") { $0[field] = value }
        }
        #expect(text.contains("\(component)"))
        #expect(text.contains(problem))
    }

    @Test func `a spoiled spiece.model is refused with the byte, whatever is wrong`() throws {
        let bytes = try Data(
            contentsOf: URL(filePath: "\(TextFixture.folder)/tokenizer_3_spiece/spiece.model")
        )
        func problem(_ bytes: Data) throws -> String {
            try message { path in
                let folder = "\(path)/tokenizer_3"
                try FileManager.default.removeItem(atPath: "\(folder)/tokenizer.json")
                try bytes.write(to: URL(filePath: "\(folder)/spiece.model"))
            }
        }
        #expect(try problem(bytes.prefix(5000)).contains("tokenizer_3/spiece.model: byte "))
        #expect(try problem(Data([0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F])).contains("leaves its message"))
        #expect(try problem(Data([0x0B])).contains("wire type 3"))
        #expect(try problem(Data([UInt8](repeating: 0xFF, count: 12))).contains("more than 64 bits"))
        #expect(try problem(Data()).contains("no pieces"))
    }

    @Test func `a character map that lies about its trie is refused`() throws {
        let text = try message { path in
            try TextFixture.edit("\(path)/tokenizer_3/tokenizer.json") {
                $0["normalizer"] = ["type": "Precompiled", "precompiled_charsmap": "////fw=="]
            }
        }
        #expect(text.contains("tokenizer_3/tokenizer.json: precompiled_charsmap: 4 bytes hold no trie"))
    }
}
