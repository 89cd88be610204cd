import Checkpoints
import Foundation
import ImageFiles
import Tensors
import TestSupport
import Testing

@testable import Evaluation

struct SceneTests {
    private let atlas: SpriteAtlas

    init() throws { atlas = try .embedded() }

    @Test func `scenes are drawn as Pillow draws them`() throws {
        let file = try SafetensorsFile(path: Repository.fixture("scenes.safetensors"))
        let pictures = try file.tensor(named: "pictures")
        let rows = try file.tensor(named: "placements")
        let sprites = try atlas.catalog.inFileOrder()
        var placements = [[Scene.Placement]](repeating: [], count: pictures.shape[0])
        for index in 0..<rows.shape[0] {
            let row = rows.row(index).values.map { Int($0) }
            let size = try #require(SpriteSize.allCases.first { $0.pixelCount == row[2] })
            placements[row[0]].append(.init(sprites[row[1]], size, x: row[3], y: row[4]))
        }
        for (index, placements) in placements.enumerated() {
            let difference = atlas.paint(placements).largestAbsoluteDifference(to: pictures.row(index))
            #expect(difference < 2e-6, "scene \(index)")
        }
    }

    @Test func `sprites are placed within the bounds of their task, all of them`() throws {
        let captions = try SceneCaptions(atlas.catalog).training(count: 2000, seed: 3)
        var seen: [SceneTask: Set<Scene.Placement>] = [:]
        for (index, caption) in captions.enumerated() {
            var stream = RandomStream(key: 9, stream: UInt64(index))
            let scene = Scene(caption, placedBy: &stream)
            #expect(caption.isShown(by: scene.placements), "\(caption.text): \(scene.placements)")
            let places = scene.placements.map {
                Scene.Placement(Sprite(name: "any"), $0.size, x: $0.x, y: $0.y)
            }
            seen[caption.task, default: []].formUnion(places)
        }
        #expect(seen[.singleObject]?.count == 25)
        #expect(seen[.counting]?.count == 36)
        let pairs = seen[.position, default: []].union(seen[.twoObject, default: []])
        // Side by side or over one another: 6 x 13 places each way, none of them in both.
        #expect(pairs.count == 2 * 6 * 13)
    }

    @Test func `a scene follows from its stream alone`() throws {
        let caption = SceneCaption.counting(Sprite(name: "cat"), count: 3)
        func scene(_ stream: UInt64) -> Scene {
            var random = RandomStream(key: 1, stream: stream)
            return Scene(caption, placedBy: &random)
        }
        #expect(scene(4) == scene(4))
        #expect(Set((0..<20).map(scene)).count > 10)
    }

    @Test func `an atlas whose picture is missing, opaque or too small is refused by name`() throws {
        let folder = URL(filePath: NSTemporaryDirectory()).appending(path: "atlas-\(UUID())").path()
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Data(#"{"cell": 8, "columns": 2, "sprites": [{"name": "cat", "cell": 3}]}"#.utf8)
            .write(to: URL(filePath: folder + "/sprites.json"))
        func expectRefusal(_ text: String) throws {
            #expect { try SpriteAtlas(catalogPath: folder + "/sprites.json") } throws: { error in
                let description = "\(error)"
                return description.contains("\(folder)/sprites.png") && description.contains(text)
            }
        }
        try expectRefusal("cannot be read")
        let opaque = Picture(width: 16, height: 16, filledWith: .white)
        try PNGFile.write(opaque, to: folder + "/sprites.png")
        try expectRefusal("no opacity")
        let small = Picture(
            width: 16,
            height: 8,
            channels: 4,
            pixels: [UInt8](repeating: 0, count: 16 * 8 * 4)
        )
        try PNGFile.write(small, to: folder + "/sprites.png")
        try expectRefusal("cell 3 of the cat")
    }
}

extension SpriteAtlas {
    /// The sprites of the teacher in this repository.
    static func embedded() throws -> SpriteAtlas {
        try SpriteAtlas(catalogPath: Repository.root + "Cluster/teacher/sprites.json")
    }
}

extension SpriteCatalog {
    fileprivate func inFileOrder() throws -> [Sprite] {
        let sprites = objects + shapes
        return sprites.sorted { cell(of: $0) < cell(of: $1) }
    }
}
