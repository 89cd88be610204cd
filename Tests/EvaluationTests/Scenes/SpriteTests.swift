import Evaluation
import Foundation
import TestSupport
import Testing

struct SpriteTests {
    @Test(arguments: [
        ("cat", "a cat", "cats"), ("avocado", "an avocado", "avocados"), ("unicorn", "a unicorn", "unicorns"),
        ("fish", "a fish", "fish"), ("strawberry", "a strawberry", "strawberries"),
        ("monkey", "a monkey", "monkeys"),
        ("fox", "a fox", "foxes"), ("octopus", "an octopus", "octopuses"), ("grapes", "a grapes", "grapeses"),
        ("brush", "a brush", "brushes"), ("torch", "a torch", "torches"),
    ])
    func `an object has its article and its plural`(name: String, article: String, plural: String) {
        let sprite = Sprite(name: name)
        #expect(sprite.noun == name)
        #expect(sprite.withArticle == article)
        #expect(sprite.plural == plural)
    }

    @Test
    func `a shape is named by colour first`() {
        #expect(Sprite(name: "heart", color: "red").withArticle == "a red heart")
        #expect(Sprite(name: "book", color: "orange").withArticle == "an orange book")
    }

    @Test
    func `the embedded catalog has its objects and shapes in order`() throws {
        let catalog = try SpriteCatalog.embedded()
        #expect(catalog.objects.count == 64)
        #expect(catalog.shapes.count == 28)
        #expect(catalog.objects.prefix(2) == [Sprite(name: "cat"), Sprite(name: "dog")])
        #expect(catalog.shapes.last == Sprite(name: "book", color: "blue"))
    }

    @Test(arguments: [
        "[]", "{\"sprites\": 3}", "{\"sprites\": [{\"color\": \"red\"}]}",
        "{\"sprites\": [{\"name\": \"\"}]}",
        "{\"sprites\": [{\"name\": \"cat\"}, {\"name\": \"cat\", \"color\": null}]}",
    ])
    func `a file that lists no sprites is refused by name`(text: String) throws {
        let path = NSTemporaryDirectory() + "sprites-\(UUID()).json"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(text.utf8).write(to: URL(filePath: path))
        #expect { try SpriteCatalog(path: path) } throws: { error in
            guard case .badSprites(path, _) = error as? EvaluationError else { return false }
            return true
        }
    }

    @Test
    func `a missing file and a catalog without pairs to hold out are errors`() throws {
        let missing = NSTemporaryDirectory() + "no-such-\(UUID()).json"
        let error = #expect(throws: EvaluationError.self) { try SpriteCatalog(path: missing) }
        #expect(
            error?.description
                == "\(missing): cannot be read: there is no such file; prompts of emoji scenes are made of it, "
                + "others come from a file"
        )
        let path = NSTemporaryDirectory() + "sprites-\(UUID()).json"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(#"{"sprites": [{"name": "cat"}, {"name": "dog"}]}"#.utf8).write(to: URL(filePath: path))
        let catalog = try SpriteCatalog(path: path)
        #expect(throws: EvaluationError.self) { try SceneCaptions(catalog) }
    }
}

extension SpriteCatalog {
    /// The sprites of the teacher in this repository.
    static func embedded() throws -> SpriteCatalog {
        try SpriteCatalog(path: Repository.root + "Cluster/teacher/sprites.json")
    }
}
