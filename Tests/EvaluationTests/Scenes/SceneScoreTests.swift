import Tensors
import Testing

@testable import Evaluation

struct SceneScoreTests {
    private let atlas: SpriteAtlas
    private let reader: SceneReader
    private let pool = LanePool(count: 2)

    init() throws {
        atlas = try .embedded()
        reader = SceneReader(atlas)
    }

    @Test func `the sprites of drawn scenes are found where they were put, and no others`() throws {
        let scenes = try scenes(count: 120)
        let seen = reader.read(.stacked(scenes.map { atlas.paint($0.placements) }), on: pool)
        for (scene, found) in zip(scenes, seen) {
            #expect(
                Set(found.map(\.placement)) == Set(scene.placements) && found.count == scene.placements.count,
                "\(scene.caption.text): \(found)"
            )
        }
    }

    @Test func `drawn scenes score one, and with their captions exchanged next to nothing`() throws {
        let scenes = try scenes(count: 60)
        let pictures = Tensor.stacked(scenes.map { atlas.paint($0.placements) })
        let captions = scenes.map(\.caption)
        let score = SceneJudge(captions, atlas: atlas).score(pictures, on: pool)
        #expect(score.overall == 1)
        #expect(score.margin == 0)
        #expect(score.tasks.map(\.task) == SceneTask.allCases)
        #expect(score.tasks.allSatisfy { $0.total == 10 })
        let shifted = Array(captions[6...] + captions[..<6])
        #expect(SceneJudge(shifted, atlas: atlas).score(pictures, on: pool).overall < 0.1)
    }

    @Test func `the overall score is the mean of the tasks, however many pictures each has`() {
        let (cat, heart) = (Sprite(name: "cat"), Sprite(name: "heart", color: "red"))
        let score = SceneScore([
            (.singleObject(cat), true), (.singleObject(cat), false), (.singleObject(cat), false),
            (.singleObject(cat), false), (.colors(heart), true),
        ])
        #expect(score.overall == 0.625)
        #expect(score.tasks.map(\.share) == [0.25, 1])
        // Of four pictures with share 1/4: √(3/16 / 4) / 2.
        #expect(abs(score.margin - 1.96 * (3.0 / 64).squareRoot() / 2) < 1e-12)
    }

    @Test func `white paper and what is not a number show nothing, and noise no object`() {
        let shape = [3, Scene.pixelCount, Scene.pixelCount]
        let paper = [Tensor(repeating: 1, shape: shape), Tensor(repeating: .nan, shape: shape)]
        #expect(reader.read(.stacked(paper), on: pool) == [[], []])
        var stream = RandomStream(key: 5, stream: 0)
        let noise = reader.read(stream.normal([8] + shape), on: pool)
        let objects = noise.joined().filter { $0.placement.sprite.color == nil }
        #expect(objects.isEmpty, "\(objects)")
    }

    @Test func `every caption is read back from its words, and other words are no caption`() throws {
        let vocabulary = SceneVocabulary(atlas.catalog)
        let captions = try SceneCaptions(atlas.catalog)
        for caption in captions.heldOut(count: 600, seed: 2) + captions.training(count: 600, seed: 2) {
            #expect(vocabulary.caption(caption.text) == caption)
        }
        for text in [
            "", "cat", "a cats", "five cats", "two red hearts", "a cat and a cat", "a cat and a red heart",
            "a red heart left of a blue heart", "a cat and", "a cat left of a dog and a pizza", "A cat",
        ] {
            #expect(vocabulary.caption(text) == nil, "\(text)")
        }
        #expect(SceneJudge(prompts: ["a cat", "a photo of a cat"], atlas: atlas) == nil)
    }

    @Test func `a sprite too many or too few is no right count, one beside what is named does no harm`() {
        let (cat, dog) = (Sprite(name: "cat"), Sprite(name: "dog"))
        let places = [(8, 8), (24, 8), (8, 24), (24, 24)]
        func cats(_ count: Int) -> [Scene.Placement] {
            places.prefix(count).map { .init(cat, .small, x: $0.0, y: $0.1) }
        }
        let three = SceneCaption.counting(cat, count: 3)
        #expect((0...4).map { three.isShown(by: cats($0)) } == [false, false, false, true, false])
        let beside = cats(1) + [.init(dog, .small, x: 24, y: 8)]
        #expect(SceneCaption.singleObject(cat).isShown(by: beside))
        #expect(SceneCaption.twoObject(dog, cat).isShown(by: beside))
        #expect(!SceneCaption.twoObject(cat, dog).isShown(by: cats(2)))
    }

    @Test(arguments: SceneCaption.Relation.allCases)
    func `a relation holds where its way is most of the distance`(relation: SceneCaption.Relation) {
        let (cat, dog) = (Sprite(name: "cat"), Sprite(name: "dog"))
        func holds(x: Int, y: Int) -> Bool {
            SceneCaption.position(cat, relation, dog)
                .isShown(by: [.init(cat, .small, x: 16 + x, y: 16 + y), .init(dog, .small, x: 16, y: 16)])
        }
        let ways: [SceneCaption.Relation: (x: Int, y: Int)] = [
            .leftOf: (-1, 0), .rightOf: (1, 0), .above: (0, -1), .below: (0, 1),
        ]
        for (other, way) in ways {
            #expect(holds(x: 8 * way.x, y: 8 * way.y) == (other == relation))
            // Aslant, 8 along and 3 across.
            #expect(holds(x: 8 * way.x + 3 * way.y, y: 8 * way.y + 3 * way.x) == (other == relation))
        }
        #expect(!holds(x: 0, y: 0))
    }

    private func scenes(count: Int) throws -> [Scene] {
        try SceneCaptions(atlas.catalog).heldOut(count: count, seed: 11).enumerated().map { index, caption in
            var stream = RandomStream(key: 17, stream: UInt64(index))
            return Scene(caption, placedBy: &stream)
        }
    }
}
