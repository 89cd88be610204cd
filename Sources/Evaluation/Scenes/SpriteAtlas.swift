import Foundation
import ImageFiles

/// The pictures of the sprites in both sizes, cut from a teacher's `sprites.png`.
package struct SpriteAtlas: Sendable {
    /// A square picture, premultiplied by its opacity.
    struct Image: Sendable {
        /// The edge, in pixels.
        let size: Int
        /// `[size, size, 4]`: red, green, blue and opacity, 0 … 1, no colour above the opacity.
        let values: [Float]
    }

    package let catalog: SpriteCatalog
    private let images: [Sprite: [SpriteSize: Image]]

    /// Reads the catalog's file, and `sprites.png` beside it.
    package init(catalogPath: String) throws(EvaluationError) {
        let catalog = try SpriteCatalog(path: catalogPath)
        let path = Self.picturePath(besideCatalog: catalogPath)
        let sheet: Picture
        do {
            sheet = try PNGFile.read(path)
        } catch {
            throw .unreadable(path: path, reason: error.description)
        }
        guard sheet.channels == 4 else {
            throw .badSprites(path: path, reason: "it has no opacity: expected a picture in RGBA")
        }
        self.catalog = catalog
        let edge = catalog.cellPixelCount
        let filters = Dictionary(
            uniqueKeysWithValues: SpriteSize.allCases.map {
                ($0, LanczosFilter(from: edge, to: $0.pixelCount))
            }
        )
        var images: [Sprite: [SpriteSize: Image]] = [:]
        for sprite in catalog.objects + catalog.shapes {
            let cell = catalog.cell(of: sprite)
            let (x, y) = (cell % catalog.columnCount * edge, cell / catalog.columnCount * edge)
            guard x + edge <= sheet.width, y + edge <= sheet.height else {
                throw .badSprites(
                    path: path,
                    reason: "cell \(cell) of the \(sprite.noun) lies outside \(sheet.width) x \(sheet.height)"
                )
            }
            let planes = Self.premultipliedPlanes(of: sheet, x: x, y: y, edge: edge)
            images[sprite] = filters.mapValues { Image(planes.map($0.callAsFunction)) }
        }
        self.images = images
    }

    /// `sprites.png` beside `sprites.json`.
    package static func picturePath(besideCatalog path: String) -> String {
        URL(filePath: path).deletingLastPathComponent().appending(path: "sprites.png")
            .path(percentEncoded: false)
    }

    /// The picture of one of the catalog's sprites.
    func image(of sprite: Sprite, _ size: SpriteSize) -> Image {
        guard let image = images[sprite]?[size] else {
            preconditionFailure("the \(sprite.noun) is none of \(catalog.path)")
        }
        return image
    }

    /// Four planes of a cell: colours times opacity, and opacity.
    private static func premultipliedPlanes(of sheet: Picture, x: Int, y: Int, edge: Int) -> [[Float]] {
        var planes = [[Float]](repeating: [], count: 4)
        for row in y..<y + edge {
            for column in x..<x + edge {
                let start = (row * sheet.width + column) * 4
                let opacity = Float(sheet.pixels[start + 3]) / 255
                for channel in 0..<3 {
                    planes[channel].append(Float(sheet.pixels[start + channel]) / 255 * opacity)
                }
                planes[3].append(opacity)
            }
        }
        return planes
    }
}

extension SpriteAtlas.Image {
    /// Clamps what the filter made of four planes, as SCENES.md prescribes: to [0, 1], colours to the opacity.
    fileprivate init(_ planes: [[Float]]) {
        size = Int(Double(planes[3].count).squareRoot().rounded())
        values = planes[3].indices.flatMap { index in
            let opacity = min(max(planes[3][index], 0), 1)
            return planes[..<3].map { min(max($0[index], 0), opacity) } + [opacity]
        }
    }
}
