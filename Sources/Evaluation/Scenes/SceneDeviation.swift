import Tensors

/// What of a picture is not explained yet, as its distance from white paper, with a margin around it.
struct SceneDeviation {
    /// How far a sprite's square may reach over the picture's edge, in pixels.
    static let margin = 2
    /// The edge with both margins.
    static let edge = Scene.pixelCount + 2 * margin

    /// `[edge, edge, 3]`: 0 white, 1 black; 0 in the margin.
    private var values: [Float]

    /// - Parameter pixels: `[3, 32, 32]` in model space; what is not a number is read as white.
    init(_ pixels: Tensor) {
        let size = Scene.pixelCount
        precondition(
            pixels.shape == [3, size, size],
            "a scene is [3, \(size), \(size)], not \(pixels.shape)"
        )
        let planes = pixels.values
        values = [Float](repeating: 0, count: Self.edge * Self.edge * 3)
        for row in 0..<size {
            for column in 0..<size {
                let target = Self.index(x: column, y: row) * 3
                for channel in 0..<3 {
                    let value = planes[(channel * size + row) * size + column]
                    values[target + channel] = value.isNaN ? 0 : (1 - min(max(value, -1), 1)) / 2
                }
            }
        }
    }

    /// 1 within the picture and 0 in the margin.
    static var mask: SceneDeviation {
        let size = Scene.pixelCount
        return SceneDeviation(Tensor(repeating: -1, shape: [3, size, size]))
    }

    /// Σ d² over the picture.
    var energy: Float { values.reduce(0) { $0 + $1 * $1 } }

    /// The squares of some size whose corners are given, a row each: `[corners, size · size · 3]`.
    func squares(of size: Int, at corners: [Corner]) -> Tensor {
        Self.squares(of: values, channels: 3, size: size, at: corners)
    }

    /// The same of the colours' summed squares: `[corners, size · size]`.
    func energySquares(of size: Int, at corners: [Corner]) -> Tensor {
        let energies = stride(from: 0, to: values.count, by: 3).map { start in
            values[start..<start + 3].reduce(0) { $0 + $1 * $1 }
        }
        return Self.squares(of: energies, channels: 1, size: size, at: corners)
    }

    private static func squares(
        of pixels: [Float],
        channels: Int,
        size: Int,
        at corners: [Corner]
    ) -> Tensor {
        var rows: [Float] = []
        rows.reserveCapacity(corners.count * size * size * channels)
        for corner in corners {
            for row in 0..<size {
                let start = index(x: corner.x, y: corner.y + row) * channels
                rows += pixels[start..<start + size * channels]
            }
        }
        return Tensor(rows, shape: [corners.count, size * size * channels])
    }

    /// Takes a sprite out of the picture, or with a scale of −1 puts it back; the margin stays as it is.
    mutating func remove(_ match: SpriteTemplates.Match, scale: Float = 1) {
        let corner = match.placement.corner
        let size = match.placement.size.pixelCount
        for row in max(0, -corner.y)..<min(size, Scene.pixelCount - corner.y) {
            for column in max(0, -corner.x)..<min(size, Scene.pixelCount - corner.x) {
                let target = Self.index(x: corner.x + column, y: corner.y + row) * 3
                let source = (row * size + column) * 3
                for channel in 0..<3 { values[target + channel] -= scale * match.template[source + channel] }
            }
        }
    }

    /// The number of a pixel, counted row by row from the margin's corner on.
    private static func index(x: Int, y: Int) -> Int { (y + margin) * edge + x + margin }
}
