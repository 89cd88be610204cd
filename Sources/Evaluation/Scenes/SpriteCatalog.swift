import Foundation

/// The sprites of the emoji scenes, as a teacher's `sprites.json` lists them.
package struct SpriteCatalog: Sendable, Equatable {
    package let path: String
    /// Sprites without a colour, in the file's order.
    package let objects: [Sprite]
    /// Sprites with a colour, in the file's order.
    package let shapes: [Sprite]
    /// The edge of a cell of `sprites.png`, in pixels.
    let cellPixelCount: Int
    /// Cells in a row of `sprites.png`.
    let columnCount: Int
    private let cells: [Sprite: Int]

    private struct File: Decodable {
        struct Entry: Decodable {
            let name: String
            let color: String?
            let cell: Int?
        }

        let cell: Int?
        let columns: Int?
        let sprites: [Entry]
    }

    /// Reads `sprites.json`.
    ///
    /// Where cells are not given, they are 64 pixels, ten to a row, in the file's order.
    package init(path: String) throws(EvaluationError) {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw .unreadable(
                path: path,
                reason:
                    "there is no such file; prompts of emoji scenes are made of it, others come from a file"
            )
        }
        let file: File
        do {
            file = try JSONDecoder().decode(File.self, from: data)
        } catch {
            throw .badSprites(path: path, reason: "expected {\"sprites\": [{\"name\", \"color\"}, …]}")
        }
        let entries = file.sprites
        guard !entries.contains(where: { $0.name.isEmpty || $0.color?.isEmpty == true }) else {
            throw .badSprites(path: path, reason: "a sprite has an empty name or colour")
        }
        let sprites = entries.map { Sprite(name: $0.name, color: $0.color) }
        guard Set(sprites).count == sprites.count else {
            throw .badSprites(path: path, reason: "a sprite is listed twice")
        }
        (cellPixelCount, columnCount) = (file.cell ?? 64, file.columns ?? 10)
        guard (1...4096).contains(cellPixelCount), (1...4096).contains(columnCount) else {
            throw .badSprites(
                path: path,
                reason: "cells of \(cellPixelCount) pixels, \(columnCount) to a row"
            )
        }
        let cells = entries.enumerated().map { $1.cell ?? $0 }
        guard cells.allSatisfy((0..<1 << 20).contains) else {
            throw .badSprites(path: path, reason: "a sprite's cell is not a number from 0 on")
        }
        self.cells = Dictionary(uniqueKeysWithValues: zip(sprites, cells))
        self.path = path
        objects = sprites.filter { $0.color == nil }
        shapes = sprites.filter { $0.color != nil }
    }

    /// The place of one of its sprites in `sprites.png`, counted row by row.
    func cell(of sprite: Sprite) -> Int {
        guard let cell = cells[sprite] else { preconditionFailure("the \(sprite.noun) is none of \(path)") }
        return cell
    }
}
