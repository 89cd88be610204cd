extension Picture {
    /// The middle of the picture, cut to an aspect and scaled to its size.
    ///
    /// As much is kept as the aspect allows, the same on both sides. Each pixel is the mean of those it covers, weighted
    /// by a triangle (what Pillow calls `BILINEAR`, with its `box`), rounded to the nearest level; opacity is laid over
    /// white first.
    /// - Parameters:
    ///   - width: pixels in a row of the result.
    ///   - height: its rows.
    package func fitted(width: Int, height: Int) -> Picture {
        precondition(width > 0 && height > 0, "a picture has pixels, not \(width) x \(height)")
        let scale = min(Float(self.width) / Float(width), Float(self.height) / Float(height))
        let columns = Resampling(of: self.width, to: width, scale: scale)
        let rows = Resampling(of: self.height, to: height, scale: scale)
        let narrow = narrowed(columns)
        var fitted: [UInt8] = []
        fitted.reserveCapacity(width * height * 3)
        for row in 0..<height {
            let weights = rows.weights(of: row)
            for value in 0..<width * 3 {
                var sum: Float = 0
                for (index, weight) in weights.weights.enumerated() {
                    sum += weight * narrow[(weights.start + index) * width * 3 + value]
                }
                fitted.append(UInt8(min(max(sum, 0), 255).rounded()))
            }
        }
        return Picture(width: width, height: height, pixels: fitted)
    }

    /// All rows with their columns resampled, `[rows, columns, 3]`, 0 … 255.
    private func narrowed(_ columns: Resampling) -> [Float] {
        var narrow = [Float](repeating: 0, count: height * columns.count * 3)
        for column in 0..<columns.count {
            let weights = columns.weights(of: column)
            for row in 0..<height {
                let target = (row * columns.count + column) * 3
                for (index, weight) in weights.weights.enumerated() {
                    let source = (row * width + weights.start + index) * channels
                    let opacity = channels == 4 ? Float(pixels[source + 3]) / 255 : 1
                    let white = (1 - opacity) * 255
                    for channel in 0..<3 {
                        narrow[target + channel] +=
                            weight * (opacity * Float(pixels[source + channel]) + white)
                    }
                }
            }
        }
        return narrow
    }
}

/// One axis of a resampling by triangles.
private struct Resampling {
    let count: Int
    private let sourceCount: Int
    private let scale: Float
    /// Where the part that is kept begins.
    private let origin: Float

    /// - Parameter scale: source pixels along the side of a pixel.
    init(of sourceCount: Int, to count: Int, scale: Float) {
        self.sourceCount = sourceCount
        self.count = count
        self.scale = scale
        origin = (Float(sourceCount) - scale * Float(count)) / 2
    }

    /// The weights, which add up to 1, of the source pixels from `start` on.
    func weights(of index: Int) -> (start: Int, weights: [Float]) {
        let center = origin + (Float(index) + 0.5) * scale
        let radius = max(scale, 1)
        let start = min(max(0, Int((center - radius + 0.5).rounded(.down))), sourceCount - 1)
        let end = max(start + 1, min(sourceCount, Int((center + radius + 0.5).rounded(.down))))
        var weights = (start..<end).map { max(0, 1 - abs((Float($0) + 0.5 - center) / radius)) }
        let sum = weights.reduce(0, +)
        // A pixel so far from all centres that it has no weight takes the nearest.
        if sum > 0 { weights = weights.map { $0 / sum } } else { weights[0] = 1 }
        return (start, weights)
    }
}
