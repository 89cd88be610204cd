import DiffusionModels
import Distillation
import Evaluation
import FlowMatching
import Foundation
import ImageFiles
import TestSupport
import Testing

@testable import ClusterRuntime

/// Folders of pictures, walked as the benchmarks' own tools walk them.
struct LaidOutPicturesTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "pictures-\(UUID())").path()
    private let captions: [SceneCaption]

    init() throws {
        let catalog = try SpriteCatalog(path: Repository.root + "Cluster/teacher/sprites.json")
        captions = try SceneCaptions(catalog).heldOut(count: 6, seed: 1)
    }

    @Test func `GenEval finds a description and the pictures of every prompt`() throws {
        defer { remove() }
        let root = "\(folder)/geneval"
        try draw(.geneval, samples: 2, into: root)
        // evaluate_images.py: numeric folders, metadata.jsonl as one JSON object, pictures by \d+\.png.
        var found: [String: Int] = [:]
        for name in try entries(root) where name.allSatisfy(\.isNumber) {
            let data = try Data(contentsOf: URL(filePath: "\(root)/\(name)/metadata.jsonl"))
            let metadata = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
            let prompt = try #require(metadata["prompt"] as? String)
            let index = try #require(Int(name))
            #expect(prompt == captions[index].text)
            #expect(SceneTask(rawValue: metadata["tag"] as? String ?? "") != nil)
            #expect((metadata["include"] as? [[String: Any]])?.isEmpty == false)
            for file in try entries("\(root)/\(name)/samples") {
                try #require(file.firstMatch(of: /^\d+\.png/) != nil)
                let picture = try PNGFile.read("\(root)/\(name)/samples/\(file)")
                #expect(picture.width == 32)
                found[prompt, default: 0] += 1
            }
        }
        #expect(found == Dictionary(uniqueKeysWithValues: captions.map { ($0.text, 2) }))
    }

    @Test func `HPSv2 finds styles and numbered JPEG files and nothing else`() throws {
        defer { remove() }
        let lists = "\(folder)/benchmark"
        try FileManager.default.createDirectory(atPath: lists, withIntermediateDirectories: true)
        try Data(#"["a cat", "two dogs"]"#.utf8).write(to: URL(filePath: "\(lists)/anime.json"))
        try Data(#"["a red heart"]"#.utf8).write(to: URL(filePath: "\(lists)/photo.json"))
        let prompts = try LaidOutPrompts.read(.hpsv2, path: lists, samples: 1)
        let root = "\(folder)/hpsv2"
        try draw(.hpsv2, prompts, into: root)
        // evaluate.py: every entry is a style, and picture i of it is named by its five digits.
        #expect(try entries(root) == ["anime", "photo"])
        for (style, count) in [("anime", 2), ("photo", 1)] {
            let names = (0..<count).map { String(format: "%05d.jpg", $0) }
            #expect(try entries("\(root)/\(style)") == names)
            for name in names {
                let bytes = try Data(contentsOf: URL(filePath: "\(root)/\(style)/\(name)"))
                #expect(bytes.starts(with: [0xFF, 0xD8, 0xFF]))
                #expect(bytes.suffix(2) == Data([0xFF, 0xD9]))
            }
        }
    }

    @Test func `a plain folder has its list beside the pictures`() throws {
        defer { remove() }
        try draw(.flat, samples: 1, into: "\(folder)/flat")
        struct Line: Decodable, Equatable {
            let idx: Int
            let file: String
            let prompt: String
            let seed: Int
        }
        let list = try String(contentsOfFile: "\(folder)/flat/prompts.jsonl", encoding: .utf8)
        let lines = try list.split(separator: "\n").map {
            try JSONDecoder().decode(Line.self, from: Data($0.utf8))
        }
        #expect(
            lines
                == captions.enumerated().map {
                    Line(idx: $0, file: String(format: "images/%05d.png", $0), prompt: $1.text, seed: 7)
                }
        )
        for line in lines {
            let picture = try PNGFile.read("\(folder)/flat/\(line.file)")
            #expect(picture.height == 32)
        }
    }

    @Test func `pictures are the same however many draw them, and those that are there stay`() throws {
        defer { remove() }
        let (alone, shared) = ("\(folder)/alone", "\(folder)/shared")
        #expect(try draw(.flat, samples: 2, into: alone, lanes: 1) == 12)
        for index in 0..<3 {
            #expect(try draw(.flat, samples: 2, into: shared, lanes: 2, share: (index, 3)) == 4)
        }
        #expect(try pictures(shared) == pictures(alone))
        #expect(Set(try pictures(alone).values).count == 12)

        // As after a kill: some are missing, and a file was being written.
        let names = try pictures(alone)
        for name in names.keys.sorted().suffix(5) {
            try FileManager.default.removeItem(atPath: "\(alone)/images/\(name)")
        }
        try Data([1, 2, 3]).write(to: URL(filePath: "\(alone).part-0"))
        let kept = "\(alone)/images/00000.png"
        let before = try FileManager.default.attributesOfItem(atPath: kept)[.systemFileNumber] as? Int
        #expect(try draw(.flat, samples: 2, into: alone, lanes: 2) == 5)
        #expect(try pictures(alone) == names)
        #expect(try FileManager.default.attributesOfItem(atPath: kept)[.systemFileNumber] as? Int == before)
        #expect(try draw(.flat, samples: 2, into: alone) == 0)
    }

    @Test func `a folder of other pictures, or somebody else's, is refused`() throws {
        defer { remove() }
        let root = "\(folder)/flat"
        try draw(.flat, samples: 1, into: root)
        let names = try pictures(root)
        #expect(throws: EvaluationError.otherPictures(root: root, settings: root + ".settings.json")) {
            try draw(.flat, samples: 1, into: root, seed: 8)
        }
        #expect(try pictures(root) == names)
        try FileManager.default.removeItem(atPath: root + ".settings.json")
        #expect(throws: EvaluationError.self) { try draw(.flat, samples: 1, into: root) }
    }

    @discardableResult
    private func draw(
        _ layout: PictureLayout,
        _ prompts: [LaidOutPrompt]? = nil,
        samples: Int = 1,
        into root: String,
        lanes: Int = 2,
        share: (Int, Int) = (0, 1),
        seed: UInt64 = 7
    ) throws -> Int {
        let model = try ModelSampler(modelPath: Repository.teacher, lanes: lanes)
        let sampler = FewStepSampler(
            model.teacher,
            schedule: .rectified(stepCount: 1, shift: model.model.shift),
            guidanceScale: 1
        )
        let prompts = prompts ?? LaidOutPrompts.scenes(captions, layout, samples: samples)
        let settings = try LaidOutPictures.settings(
            layout,
            of: prompts,
            model: model,
            studentPath: nil,
            sampler: sampler,
            seed: seed
        )
        let part = try #require(LaidOutPictures.Share(index: share.0, of: share.1))
        return try LaidOutPictures(root: root, prompts: prompts, settings: settings, share: part)
            .draw(with: model, sampler)
    }

    private func entries(_ path: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path).sorted()
    }

    private func pictures(_ root: String) throws -> [String: Data] {
        let names = try entries("\(root)/images")
        return try Dictionary(
            uniqueKeysWithValues: names.map {
                ($0, try Data(contentsOf: URL(filePath: "\(root)/images/\($0)")))
            }
        )
    }

    private func remove() { try? FileManager.default.removeItem(atPath: folder) }
}
