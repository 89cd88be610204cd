import Foundation

/// The sprites of the emoji scenes, as a teacher's `sprites.json` lists them.
package struct SpriteCatalog: Sendable, Equatable {
    package let path: String
    /// Sprites without a colour, in the file's order.
    package let objects: [Sprite]
    /// Sprites with a colour, in the file's order.
    package let shapes: [Sprite]

    private struct File: Decodable {
        struct Entry: Decodable {
            let name: String
            let color: String?
        }

        let sprites: [Entry]
    }

    /// Reads `sprites.json`; its other fields (cells, code points) are not read.
    package init(path: String) throws(EvaluationError) {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw .unreadable(path: path, reason: "there is no such file")
        }
        let entries: [File.Entry]
        do {
            entries = try JSONDecoder().decode(File.self, from: data).sprites
        } catch {
            throw .badSprites(path: path, reason: "expected {\"sprites\": [{\"name\", \"color\"}, …]}")
        }
        guard !entries.contains(where: { $0.name.isEmpty || $0.color?.isEmpty == true }) else {
            throw .badSprites(path: path, reason: "a sprite has an empty name or colour")
        }
        let sprites = entries.map { Sprite(name: $0.name, color: $0.color) }
        guard Set(sprites).count == sprites.count else {
            throw .badSprites(path: path, reason: "a sprite is listed twice")
        }
        self.path = path
        objects = sprites.filter { $0.color == nil }
        shapes = sprites.filter { $0.color != nil }
    }
}
