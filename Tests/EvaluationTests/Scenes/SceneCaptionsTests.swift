import Evaluation
import Testing

struct SceneCaptionsTests {
    private let captions: SceneCaptions

    init() throws { captions = try SceneCaptions(.embedded()) }

    @Test
    func `every task has the words the teacher was trained on`() {
        let cat = Sprite(name: "cat")
        let avocado = Sprite(name: "avocado")
        let red = Sprite(name: "heart", color: "red")
        let orange = Sprite(name: "book", color: "orange")
        let expected: [(SceneCaption, SceneTask, String)] = [
            (.singleObject(avocado), .singleObject, "an avocado"),
            (.colors(orange), .colors, "an orange book"),
            (.counting(cat, count: 2), .counting, "two cats"),
            (.counting(cat, count: 3), .counting, "three cats"),
            (.counting(cat, count: 4), .counting, "four cats"),
            (.twoObject(cat, avocado), .twoObject, "a cat and an avocado"),
            (.position(cat, .leftOf, avocado), .position, "a cat left of an avocado"),
            (.position(avocado, .rightOf, cat), .position, "an avocado right of a cat"),
            (.position(cat, .above, avocado), .position, "a cat above an avocado"),
            (.position(cat, .below, avocado), .position, "a cat below an avocado"),
            (.colorAttribution(red, orange), .colorAttribution, "a red heart and an orange book"),
        ]
        for (caption, task, text) in expected {
            #expect(caption.task == task)
            #expect(caption.text == text)
        }
    }

    @Test
    func `a caption follows from the seed and its place alone`() {
        let captions = captions.training(count: 40, seed: 7)
        #expect(self.captions.training(count: 25, seed: 7) == Array(captions.prefix(25)))
        #expect(self.captions.training(count: 40, seed: 8) != captions)
        #expect(
            self.captions.heldOut(count: 12, seed: 7)
                == Array(self.captions.heldOut(count: 30, seed: 7).prefix(12))
        )
        #expect(self.captions.heldOut(count: 30, seed: 8) != self.captions.heldOut(count: 30, seed: 7))
    }

    @Test
    func `the first captions of a seed stay what they are`() {
        #expect(
            captions.training(count: 6, seed: 1).map(\.text) == [
                "a yellow circle", "a basketball and a cake", "three keys",
                "a black circle and an orange heart", "a cake", "a cookie right of a penguin",
            ]
        )
        #expect(
            captions.heldOut(count: 6, seed: 1).map(\.text) == [
                "a star", "a red book", "four cakes", "a crown and an airplane", "a pizza right of a penguin",
                "a black square and an orange circle",
            ]
        )
    }

    @Test(
        arguments: [
            SceneTaskShares.standard.values, [0.16, 0, 0.18, 0.2, 0.2, 0.26], [0, 0, 1, 0, 0, 0],
        ] as [[Float]]
    )
    func `tasks come as often as is asked`(stated: [Float]) throws {
        let shares = try #require(SceneTaskShares(stated))
        let captions = try SceneCaptions(.embedded(), shares: shares)
        let count = 8000
        let drawn = Dictionary(grouping: captions.training(count: count, seed: 3), by: \.task).mapValues(
            \.count
        )
        for (task, share) in zip(SceneTask.allCases, shares.values) {
            let expected = Double(share)
            let deviation = (expected * (1 - expected) / Double(count)).squareRoot()
            #expect(abs(Double(drawn[task] ?? 0) / Double(count) - expected) <= 4 * deviation, "\(task)")
        }
    }

    @Test(
        arguments: [
            [], [1], [0.2, 0.2, 0.2, 0.2, 0.2, 0.2], [-0.2, 0.2, 0.2, 0.2, 0.3, 0.3],
            [0.2, 0.2, 0.2, 0.2, 0.2, .nan],
        ] as [[Float]]
    )
    func `shares are six numbers, none below zero, that add up to 1`(values: [Float]) {
        #expect(SceneTaskShares(values) == nil)
    }

    @Test
    func `other shares leave held-out captions as they are`() throws {
        // By default training has the standard shares.
        #expect(
            try SceneCaptions(.embedded(), shares: .standard).training(count: 60, seed: 2)
                == self.captions.training(count: 60, seed: 2)
        )
        let shares = try #require(SceneTaskShares([0.5, 0.5, 0, 0, 0, 0]))
        let captions = try SceneCaptions(.embedded(), shares: shares)
        #expect(captions.heldOut(count: 60, seed: 2) == self.captions.heldOut(count: 60, seed: 2))
    }

    @Test
    func `training draws from everything but the held-out pairs`() {
        let drawn = captions.training(count: 8000, seed: 4)
        #expect(!drawn.contains { $0.isHeldOut })
        #expect(Set(drawn.flatMap(\.sprites)).count == 92)
        #expect(drawn.allSatisfy { Set($0.sprites).count == $0.sprites.count })
        #expect(Set(drawn.compactMap(\.relation)) == Set(SceneCaption.Relation.allCases))
        #expect(Set(drawn.compactMap(\.number)) == [2, 3, 4])
    }

    @Test
    func `held-out captions are equally many a task and name held-out pairs only`() {
        let drawn = captions.heldOut(count: 600, seed: 5)
        let byTask = Dictionary(grouping: drawn, by: \.task)
        for task in SceneTask.allCases { #expect(byTask[task]?.count == 100) }
        for task in [SceneTask.twoObject, .position, .colorAttribution] {
            #expect(byTask[task]?.allSatisfy { $0.isHeldOut } == true)
        }
    }

    @Test
    func `about a tenth of the pairs is held out, whatever their order`() throws {
        let catalog = try SpriteCatalog.embedded()
        for sprites in [catalog.objects, catalog.shapes] {
            var heldOut = 0
            for (index, first) in sprites.enumerated() {
                for second in sprites[..<index] {
                    let isHeldOut = SceneCaption.twoObject(first, second).isHeldOut
                    #expect(isHeldOut == SceneCaption.position(second, .above, first).isHeldOut)
                    heldOut += isHeldOut ? 1 : 0
                }
            }
            let pairs = sprites.count * (sprites.count - 1) / 2
            #expect((0.07...0.13).contains(Double(heldOut) / Double(pairs)), "\(heldOut) of \(pairs)")
        }
    }
}

extension SceneCaption {
    fileprivate var sprites: [Sprite] {
        switch self {
        case .singleObject(let sprite), .colors(let sprite), .counting(let sprite, count: _): [sprite]
        case .twoObject(let first, let second), .colorAttribution(let first, let second),
            .position(let first, _, let second):
            [first, second]
        }
    }

    fileprivate var relation: Relation? {
        if case .position(_, let relation, _) = self { relation } else { nil }
    }

    fileprivate var number: Int? {
        if case .counting(_, let count) = self { count } else { nil }
    }
}
