import Foundation

/// Resampling of square planes with Lanczos' kernel of three lobes, as Pillow's `Image.resize` does it for
/// pictures of 32-bit floats: rows first, then columns, with weights that sum to one.
struct LanczosFilter {
    /// Half the width of the kernel, in pixels of the coarser picture.
    private static let lobes = 3.0

    /// Which source pixels make a target pixel, and how much each.
    fileprivate struct Contribution {
        let first: Int
        let weights: [Double]
    }

    private let sourceSize: Int
    private let contributions: [Contribution]

    /// From planes of `sourceSize`² pixels to planes of `targetSize`².
    init(from sourceSize: Int, to targetSize: Int) {
        self.sourceSize = sourceSize
        let scale = Double(sourceSize) / Double(targetSize)
        let width = max(scale, 1)
        contributions = (0..<targetSize).map { target in
            let center = (Double(target) + 0.5) * scale
            let first = max(0, Int(center - Self.lobes * width + 0.5))
            let end = min(sourceSize, Int(center + Self.lobes * width + 0.5))
            let weights = (first..<end).map { Self.kernel((Double($0) - center + 0.5) / width) }
            let sum = weights.reduce(0, +)
            return Contribution(first: first, weights: weights.map { $0 / sum })
        }
    }

    /// - Parameter plane: `[sourceSize, sourceSize]`.
    /// - Returns: `[targetSize, targetSize]`.
    func callAsFunction(_ plane: [Float]) -> [Float] {
        precondition(plane.count == sourceSize * sourceSize, "a plane of \(sourceSize)², not \(plane.count)")
        let size = contributions.count
        var narrow = [Float](repeating: 0, count: sourceSize * size)
        for y in 0..<sourceSize {
            for (x, part) in contributions.enumerated() {
                narrow[y * size + x] = part.sum(of: plane, from: y * sourceSize, step: 1)
            }
        }
        var result = [Float](repeating: 0, count: size * size)
        for (y, part) in contributions.enumerated() {
            for x in 0..<size { result[y * size + x] = part.sum(of: narrow, from: x, step: size) }
        }
        return result
    }

    /// sinc(x) · sinc(x / 3) within the lobes.
    private static func kernel(_ x: Double) -> Double {
        guard abs(x) < lobes else { return 0 }
        return sinc(x) * sinc(x / lobes)
    }
}

extension LanczosFilter.Contribution {
    fileprivate func sum(of pixels: [Float], from start: Int, step: Int) -> Float {
        var sum = 0.0
        for (index, weight) in weights.enumerated() {
            sum += Double(pixels[start + (first + index) * step]) * weight
        }
        return Float(sum)
    }
}

private func sinc(_ x: Double) -> Double {
    x == 0 ? 1 : sin(.pi * x) / (.pi * x)
}
