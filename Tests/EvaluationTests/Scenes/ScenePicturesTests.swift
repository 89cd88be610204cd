import Evaluation
import Tensors
import TestSupport
import Testing

/// Scenes as a teacher is trained on them.
@Suite struct ScenePicturesTests {
    private let scenes: ScenePictures
    private let atlas: SpriteAtlas

    init() throws {
        atlas = try SpriteAtlas(catalogPath: Repository.root + "Cluster/teacher/sprites.json")
        scenes = try ScenePictures(atlas)
    }

    @Test func `a picture follows from the seed and its place alone`() {
        let whole = scenes.training(0..<12, seed: 3)
        let part = scenes.training(7..<10, seed: 3)
        #expect(whole.pictures.shape == [12, 3, 32, 32])
        #expect(part.pictures.values == whole.pictures.rows(7..<10).values)
        #expect(part.captions == Array(whole.captions[7..<10]))
        #expect(scenes.training(7..<10, seed: 4).pictures.values != part.pictures.values)
    }

    @Test func `captions are those of training, and none names a held-out pair`() {
        let captions = scenes.training(0..<3000, seed: 5).captions
        #expect(captions == scenes.captions.training(count: 3000, seed: 5))
        #expect(captions.allSatisfy { !$0.isHeldOut })
        #expect(scenes.captions.heldOut(count: 60, seed: 5).contains { $0.isHeldOut })
    }

    @Test func `tasks come as often as is said`() throws {
        let shares = try #require(SceneTaskShares([0, 0, 0.25, 0, 0.75, 0]))
        let captions = try ScenePictures(atlas, shares: shares).training(0..<400, seed: 5).captions
        let counting = captions.count { $0.task == .counting }
        #expect((70...130).contains(counting))
        #expect(captions.count { $0.task == .position } == captions.count - counting)
    }

    @Test func `pictures show what their captions say`() throws {
        let drawn = scenes.training(0..<60, seed: 6)
        #expect(drawn.pictures.values.allSatisfy { (-1...1).contains($0) })
        let score = SceneJudge(drawn.captions, atlas: atlas).score(drawn.pictures, on: LanePool(count: 2))
        #expect(score.overall > 0.95, "\(score)")
    }
}
