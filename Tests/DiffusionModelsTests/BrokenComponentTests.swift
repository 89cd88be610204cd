import Checkpoints
import DiffusionModels
import Foundation
import Tensors
import TestSupport
import Testing

/// What a person is told about a component that is damaged or of another family: the file and the field.
@Suite struct BrokenComponentTests {
    private func withCopy(
        of component: String,
        _ damage: (String) throws -> Void,
        _ check: (String) throws -> Void
    ) throws {
        try TemporaryFile.with { folder in
            try FileManager.default.copyItem(
                atPath: Repository.fixture("models/" + component),
                toPath: folder
            )
            try damage(folder)
            try check(folder)
        }
    }

    private func message(of body: () throws -> Void) -> String {
        do {
            try body()
            return "no error"
        } catch {
            return "\(error)"
        }
    }

    private func openTransformer(_ folder: String) throws {
        _ = try TransformerVerification.compare(
            folder: folder,
            with: ReferenceFile(path: Repository.fixture("models/sd35-medium/transformer.safetensors")),
            pool: LanePool(count: 1)
        )
    }

    private func replace(_ old: String, _ new: String, in path: String) throws {
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(text.contains(old))
        try text.replacing(old, with: new).write(toFile: path, atomically: true, encoding: .utf8)
    }

    private static let shard = "diffusion_pytorch_model-00002-of-00005.safetensors"

    @Test func `a missing shard is named with the index that wants it`() throws {
        try withCopy(of: "sd35-medium/transformer") { folder in
            try FileManager.default.removeItem(atPath: "\(folder)/\(Self.shard)")
        } _: { folder in
            let text = message { try openTransformer(folder) }
            #expect(text.contains("diffusion_pytorch_model.safetensors.index.json: names the shard"))
            #expect(text.contains(Self.shard))
        }
    }

    @Test func `a truncated shard is named`() throws {
        try withCopy(of: "sd35-medium/transformer") { folder in
            let url = URL(filePath: "\(folder)/\(Self.shard)")
            try Data(contentsOf: url).dropLast(5).write(to: url)
        } _: { folder in
            #expect(message { try openTransformer(folder) }.contains("\(Self.shard): truncated"))
        }
    }

    @Test func `a shard whose header is damaged is named`() throws {
        try withCopy(of: "sd35-medium/transformer") { folder in
            let url = URL(filePath: "\(folder)/\(Self.shard)")
            var data = try Data(contentsOf: url)
            data[20] = 0
            try data.write(to: url)
        } _: { folder in
            #expect(message { try openTransformer(folder) }.contains("\(Self.shard): not a safetensors file"))
        }
    }

    @Test func `weights of integers are refused with file, tensor and type`() throws {
        try withCopy(of: "sd3-medium/vae") { folder in
            let path = "\(folder)/diffusion_pytorch_model.safetensors"
            let file = try SafetensorsFile(path: path)
            var writer = SafetensorsWriter()
            for name in file.names where name != "decoder.conv_in.bias" {
                writer.add(name, try file.tensor(named: name))
            }
            writer.add("decoder.conv_in.bias", integers: [Int](repeating: 1, count: 24), shape: [24])
            try writer.write(to: path)
        } _: { folder in
            let text = message { _ = try Autoencoder(folder: folder) }
            #expect(
                text.contains(
                    "diffusion_pytorch_model.safetensors: tensor 'decoder.conv_in.bias' is I64"
                )
            )
        }
    }

    @Test(
        arguments: [
            ("sd35-medium/transformer", "SD3Transformer2DModel", "FluxTransformer2DModel"),
            ("sd35-medium/transformer", "SD3Transformer2DModel", "UNet2DConditionModel"),
            ("sd3-medium/vae", "AutoencoderKL", "AutoencoderTiny"),
        ]
    )
    func `a component of another family is refused by its class`(
        component: String,
        own: String,
        other: String
    ) throws {
        try withCopy(of: component) { folder in
            try replace(own, other, in: "\(folder)/config.json")
        } _: { folder in
            let text = message {
                if component.hasSuffix("vae") {
                    _ = try Autoencoder(folder: folder)
                } else {
                    try openTransformer(folder)
                }
            }
            #expect(text == "\(folder)/config.json: _class_name is \(other), expected \(own)")
        }
    }

    @Test func `an autoencoder with latent statistics of its own is refused by the field`() throws {
        try withCopy(of: "sd3-medium/vae") { folder in
            try replace("\"latents_mean\": null", "\"latents_mean\": [0.5]", in: "\(folder)/config.json")
        } _: { folder in
            #expect(message { _ = try Autoencoder(folder: folder) }.contains("latents_mean is given"))
        }
    }

    @Test(
        arguments: [
            ("models/sd3-medium/transformer", "qk_norm", "5", "rms_norm"),
            ("models/sd3-medium/transformer", "dual_attention_layers", "[0.5]", "a list of whole numbers"),
            ("models/sd3-medium/vae", "mid_block_add_attention", "\"no\"", "true or false"),
            ("text/text_encoder", "hidden_act", "3", "a text"),
            ("text/text_encoder_3", "feed_forward_proj", "3", "a text"),
        ]
    )
    func `a setting of another type is refused by its field, not passed over`(
        component: String,
        field: String,
        value: String,
        expected: String
    ) throws {
        try TemporaryFile.with { folder in
            try FileManager.default.copyItem(atPath: Repository.fixture(component), toPath: folder)
            let path = "\(folder)/config.json"
            var lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
            lines.removeAll { $0.contains("\"\(field)\":") }
            lines.insert("\"\(field)\": \(value),", at: 1)
            try lines.joined(separator: "\n").write(toFile: path, atomically: true, encoding: .utf8)
            let text = message {
                switch component {
                case "text/text_encoder": _ = try CLIPTextEncoder(folder: folder)
                case "text/text_encoder_3": _ = try T5TextEncoder(folder: folder)
                case "models/sd3-medium/vae": _ = try Autoencoder(folder: folder)
                default: _ = try TransformerConfiguration(folder: folder)
                }
            }
            let found = value.trimmingCharacters(in: ["\""])
            #expect(text == "\(path): \(field) is \(found), expected \(expected)")
        }
    }

    /// Leaves only the tensors that `isKept` of a component's single file.
    private func keepTensors(of folder: String, _ isKept: (String) -> Bool) throws {
        let path = "\(folder)/diffusion_pytorch_model.safetensors"
        let tensors = try SafetensorsFile(path: path).tensors().filter { isKept($0.key) }
        try SafetensorsWriter(tensors.mapValues { $0.copied() }).write(to: path)
    }

    @Test func `an autoencoder of a decoder alone draws the same pictures, and says that it cannot encode`()
        throws
    {
        let latents = randomTensor([1, 4, 4, 4], seed: 3)
        let whole = try Autoencoder(folder: Repository.fixture("models/sd3-medium/vae"))
        try withCopy(of: "sd3-medium/vae") { folder in
            try keepTensors(of: folder) { !$0.hasPrefix("encoder.") }
        } _: { folder in
            let half = try Autoencoder(folder: folder)
            #expect(half.decode(latents, on: Tape()).values == whole.decode(latents, on: Tape()).values)
            #expect(
                message { try half.checkHasEncoder() }
                    == "\(folder): weights of an encoder: not found; pictures are encoded with them"
            )
        }
    }

    @Test func `an encoder that lacks one weight is broken, not absent`() throws {
        try withCopy(of: "sd3-medium/vae") { folder in
            try keepTensors(of: folder) { $0 != "encoder.conv_in.bias" }
        } _: { folder in
            let text = message { _ = try Autoencoder(folder: folder) }
            #expect(text == "\(folder): tensor encoder.conv_in.bias is missing")
        }
    }
}
