import Checkpoints
import DiffusionModels
import Foundation
import Tensors
import TestSupport
import Testing

/// Prompts through both CLIP encoders and T5, against diffusers' pipeline, and encodings kept on disk.
@Suite struct TextPipelineTests {
    private static let prompts = [
        "", "a photo of a red cube", "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich!",
        "blurry, 低品質",
    ]

    @Test(arguments: [true, false])
    func `context and pooled vectors are those of diffusers, with T5 and without`(t5: Bool) throws {
        try TextFixture.withModel(t5: t5) { path in
            let text = try ModelFolder(path: path).text
            let reference = try SafetensorsFile(path: "\(path)/pipeline.safetensors")
            let encoded = try text.encode(Self.prompts, on: Tape())
            let prefix = t5 ? "expected.with_t5" : "expected.without_t5"
            let context = try reference.tensor(named: "\(prefix).context")
            #expect(context.shape == [4, 20 + 24, 40])
            #expect(encoded.context.shape == context.shape)
            #expect(relativeError(encoded.context, context) < 1e-4)
            #expect(relativeError(encoded.pooled, try reference.tensor(named: "\(prefix).pooled")) < 1e-4)
        }
    }

    @Test func `kept encodings are found again bit for bit, by the models' bytes and the length`() throws {
        try TextFixture.withModel { path in
            let text = try ModelFolder(path: path).text
            let cache = "\(path)/cache"
            let direct = try text.encode(Self.prompts, on: Tape())
            let cached = try text.caching(in: cache, byteLimit: 1 << 24)
            for _ in 0..<2 {
                let found = try cached.encode(Self.prompts + Self.prompts, on: Tape())
                #expect(found.rows(0..<4).context.values == direct.context.values)
                #expect(found.rows(4..<8).pooled.values == direct.pooled.values)
            }
            #expect(try Self.entries(cache).count == 4)
            var shorter = cached
            shorter.t5Length = 12
            #expect(try shorter.encode([""], on: Tape()).context.shape == [1, 20 + 12, 40])
            #expect(try Self.entries(cache).count == 5)
            let weights = "\(path)/text_encoder/model.safetensors"
            var bytes = try Data(contentsOf: URL(filePath: weights))
            bytes[bytes.count - 1] ^= 1
            try bytes.write(to: URL(filePath: weights))
            let other = try ModelFolder(path: path).text.caching(in: cache, byteLimit: 1 << 24)
            _ = try other.encode([""], on: Tape())
            #expect(try Self.entries(cache).count == 6)
        }
    }

    @Test func `a spoiled entry is made again`() throws {
        try TextFixture.withModel { path in
            let cache = "\(path)/cache"
            let text = try ModelFolder(path: path).text.caching(in: cache, byteLimit: 1 << 24)
            let first = try text.encode(["a cat"], on: Tape())
            let name = try #require(try Self.entries(cache).first)
            let url = URL(filePath: "\(cache)/\(name)")
            let whole = try Data(contentsOf: url)
            var flipped = whole
            flipped[flipped.count - 3] ^= 0x40
            for spoiled in [flipped, whole.prefix(100), Data()] {
                try spoiled.write(to: url)
                #expect(try text.encode(["a cat"], on: Tape()).context.values == first.context.values)
                #expect(try Data(contentsOf: url) == whole)
            }
        }
    }

    @Test func `a cache keeps within its bytes, the entries written last`() throws {
        try TextFixture.withModel { path in
            let cache = "\(path)/cache"
            let byteLimit = 18_000
            let text = try ModelFolder(path: path).text.caching(in: cache, byteLimit: byteLimit)
            var last = ""
            for index in 0..<6 {
                let before = Set(index == 0 ? [] : try Self.entries(cache))
                _ = try text.encode(["prompt \(index)"], on: Tape())
                last = try #require(Set(try Self.entries(cache)).subtracting(before).first)
                let total = try Self.entries(cache).reduce(0) { total, name in
                    total + (try Data(contentsOf: URL(filePath: "\(cache)/\(name)")).count)
                }
                #expect(total <= byteLimit)
                Thread.sleep(forTimeInterval: 0.02)
            }
            #expect(try Self.entries(cache).contains(last))
            #expect(try Self.entries(cache).count < 6)
        }
    }

    @Test func `a length beyond the pipeline's and a width that T5 does not have are refused by field`()
        throws
    {
        try TextFixture.withModel { path in
            try TextFixture.edit("\(path)/model_index.json") { $0["max_sequence_length"] = 513 }
            let length = try #require(throws: ModelError.self) { try ModelFolder(path: path) }
            #expect(length.description.contains("model_index.json: max_sequence_length is 513"))
            try TextFixture.edit("\(path)/model_index.json") { $0["max_sequence_length"] = 8 }
            try TextFixture.edit("\(path)/transformer/config.json") { $0["joint_attention_dim"] = 44 }
            let width = try #require(throws: ModelError.self) { try ModelFolder(path: path) }
            #expect(
                width.description.contains("transformer/config.json: joint_attention_dim is 44, expected 40")
            )
        }
    }

    private static func entries(_ folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder)
    }
}
