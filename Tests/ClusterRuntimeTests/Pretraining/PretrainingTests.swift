import Checkpoints
import DiffusionModels
import Distillation
import Evaluation
import Foundation
import ImageFiles
import Tensors
import TestSupport
import Testing

@testable import ClusterRuntime

/// A small teacher's training, from its start to the model on disk.
@Suite struct PretrainingTests {
    private let folder = TemporaryRun()
    private let small: SmallModel
    private let sprites = Repository.root + "Cluster/teacher/sprites.json"

    init() throws { small = try SmallModel(layers: 1) }

    private func settings(_ change: (inout PretrainingSettings) -> Void = { _ in }) -> PretrainingSettings {
        var settings = PretrainingSettings(steps: 6)
        settings.batchSize = 4
        settings.warmupSteps = 2
        change(&settings)
        return settings
    }

    /// - Parameter stopsAfter: so many updates; nil for none.
    private func train(
        _ out: String,
        from start: Pretraining.Start? = nil,
        on source: Pretraining.Source? = nil,
        _ settings: PretrainingSettings? = nil,
        stopsAfter: Int? = nil
    ) throws -> PretrainingFolder {
        let folder = PretrainingFolder("\(folder.path)/\(out)")
        let training = Pretraining(
            start ?? .fromScratch(small.path),
            on: source ?? .scenes(spritesPath: sprites),
            settings: settings ?? self.settings(),
            in: folder,
            writing: .float32,
            stepsBetweenSaves: 2,
            lanes: 1
        )
        try training.train(until: { $0 == stopsAfter })
        return folder
    }

    private func weights(_ folder: PretrainingFolder, _ component: String = "transformer") throws -> [String:
        [Float]]
    {
        try SafetensorsFolder(path: "\(folder.model)/\(component)").tensors().mapValues(\.values)
    }

    @Test func `a training that was stopped goes on as if it had not been, bit for bit`() throws {
        let whole = try train("whole")
        let stopped = try train("parts", stopsAfter: 3)
        #expect(try weights(stopped) != weights(whole))
        #expect(!FileManager.default.fileExists(atPath: "\(stopped.states)/round-000006"))
        let resumed = try train("parts")
        for component in ["transformer", "text_encoder", "text_encoder_2"] {
            #expect(try weights(resumed, component) == weights(whole, component), "\(component)")
        }
        // A finished one is left as it is.
        let before = try weights(whole)
        #expect(try weights(train("whole")) == before)
    }

    @Test func `a state that a disk has spoiled is passed over for the one before it`() throws {
        let whole = try train("whole")
        let spoiled = try train("spoiled", stopsAfter: 5)
        let file = URL(filePath: "\(spoiled.states)/round-000005/parameters.safetensors")
        var bytes = try Data(contentsOf: file)
        bytes[bytes.count - 5] ^= 1
        try bytes.write(to: file)
        #expect(try weights(train("spoiled")) == weights(whole))
    }

    @Test func `the model can be drawn with, and gone on with in another folder`() throws {
        let first = try train("first")
        let sampler = try ModelSampler(modelPath: first.model, lanes: 1)
        #expect(sampler.drawsPixels)
        #expect(try PNGFile.read(first.samples).height > 6 * 32)
        // Whoever measures it on scenes finds their sprites beside it.
        let kept = try SpriteAtlas(catalogPath: RunConfiguration.spritesPath(besideModel: first.model))
        #expect(try kept.catalog.objects == SpriteAtlas(catalogPath: sprites).catalog.objects)
        let next = try train("next", from: .continuing(first.model), settings { $0.steps = 2 })
        let difference = try weights(next).map { name, values in
            try zip(values, #require(weights(first)[name])).map { abs($0 - $1) }.max() ?? 0
        }
        // Two updates move every number by the learning rate or less, the young running mean almost as far.
        #expect(difference.max() ?? 0 > 0 && difference.max() ?? 1 < 3e-3)
    }

    @Test func `captioned pictures are trained on, and pictures that have changed are other ones`() throws {
        for index in 0..<3 {
            let color = Color(red: UInt8(80 * index), green: 90, blue: 200)
            let picture = Picture(width: 40, height: 32, filledWith: color)
            try Data(PNGFile.encode(picture)).write(to: URL(filePath: "\(folder.path)/\(index).png"))
        }
        let lines = (0..<3).map { "{\"file_name\": \"\($0).png\", \"text\": \"picture \($0)\"}" }
        _ = try folder.file("metadata.jsonl", lines.joined(separator: "\n"))
        let source = Pretraining.Source.pictures(folder: folder.path, column: "text", skipsUnreadable: false)
        let trained = try train("pictures", on: source, settings { $0.steps = 2 })
        let pictures = try PretrainingPictures.latents(in: trained.latents)
        let batch = try pictures.batch(step: 1, count: 30, seed: 2)
        #expect(batch.latents.shape == [30, 3, 32, 32])
        #expect(Set(batch.captions) == ["picture 0", "picture 1", "picture 2"])
        for (row, caption) in batch.captions.enumerated() {
            let red = (batch.latents.row(row).values[0] + 1) * 127.5
            #expect(abs(red - 80 * (Float(String(caption.last ?? "9")) ?? 9)) < 0.01)
        }
        let again = try pictures.batch(step: 1, count: 30, seed: 2)
        #expect(again.captions == batch.captions)
        #expect(try pictures.batch(step: 2, count: 30, seed: 2).captions != batch.captions)

        _ = try folder.file("metadata.jsonl", lines.dropLast().joined(separator: "\n"))
        let error = #expect(throws: PretrainingError.self) {
            try train("pictures", on: source, settings { $0.steps = 2 })
        }
        #expect(error?.description.contains("has pictures, SHA-256") == true)
    }

    @Test func `a folder of another training is refused with the option that differs`() throws {
        _ = try train("run", stopsAfter: 1)
        func refusal(_ change: (inout PretrainingSettings) -> Void) throws -> String {
            let error = #expect(throws: PretrainingError.self) { try train("run", settings(change)) }
            return error?.description ?? ""
        }
        #expect(try refusal { $0.learningRate = 0.5 }.contains("has --learning-rate 0.001, asked for 0.5"))
        #expect(try refusal { $0.seed = 3 }.contains("has --seed 0, asked for 3"))
        #expect(try refusal { $0.steps = 8 }.contains("has --steps 6, asked for 8"))
        let tasks = try #require(SceneTaskShares([0.5, 0.5, 0, 0, 0, 0]))
        let scenes = #expect(throws: PretrainingError.self) {
            try train("run", on: .scenes(spritesPath: sprites, tasks: tasks))
        }
        #expect(
            scenes?.description.contains(
                "has --tasks 0.22,0.12,0.18,0.18,0.18,0.12, asked for 0.5,0.5,0.0,0.0,0.0,0.0"
            ) == true
        )
        let model = try train("model", settings { $0.steps = 1 }).model
        let start = #expect(throws: PretrainingError.self) { try train("run", from: .continuing(model)) }
        #expect(start?.description.contains("has the start from-scratch, asked for continue") == true)
        let inside = #expect(throws: PretrainingError.self) { try train("model", from: .continuing(model)) }
        #expect(inside?.description.contains("lies in") == true)
    }

    @Test func `scenes are refused to a model of another size, and sprites that are not there are named`()
        throws
    {
        try small.edit("transformer/config.json") { $0["sample_size"] = 16 }
        let size = #expect(throws: ModelError.self) { try train("size") }
        #expect(size?.description.contains("in_channels and sample_size is 3 and 16") == true)
        try small.edit("transformer/config.json") { $0["sample_size"] = 32 }
        #expect {
            try train("sprites", on: .scenes(spritesPath: "\(folder.path)/none.json"))
        } throws: {
            "\($0)".contains("none.json")
        }
    }

    @Test func `a learning rate that throws the weights off ends the training, and says so`() throws {
        let error = #expect(throws: PretrainingError.self) {
            try train(
                "far",
                settings {
                    $0.steps = 100
                    $0.learningRate = 1e30
                    $0.warmupSteps = 0
                }
            )
        }
        #expect(error?.description.contains("--learning-rate") == true)
    }
}
