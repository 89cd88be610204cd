package import ImageFiles
package import Tensors

extension Picture {
    /// A picture of pixels in model space, −1 black and 1 white.
    ///
    /// Values beyond are clamped, and rounded to the nearest of the 256 levels as diffusers' image processor
    /// does. What is not a number becomes black.
    ///
    /// - Parameter pixels: `[3, height, width]`, red, green, blue.
    package init(modelSpace pixels: Tensor) {
        precondition(
            pixels.shape.count == 3 && pixels.shape[0] == 3,
            "a picture is [3, height, width], got \(pixels.shape)"
        )
        let (height, width) = (pixels.shape[1], pixels.shape[2])
        let plane = height * width
        let planes = pixels.values
        var interleaved = [UInt8](repeating: 0, count: planes.count)
        for channel in 0..<3 {
            for position in 0..<plane {
                interleaved[position * 3 + channel] = Self.level(of: planes[channel * plane + position])
            }
        }
        self.init(width: width, height: height, pixels: interleaved)
    }

    /// The pictures of a batch `[samples, 3, height, width]` in model space.
    package static func pictures(modelSpace batch: Tensor) -> [Picture] {
        (0..<batch.shape[0]).map { Picture(modelSpace: batch.row($0)) }
    }

    /// Red, green and blue in model space, `[3, height, width]`, −1 black and 1 white; opacity is left out.
    package var modelSpace: Tensor {
        let plane = width * height
        let levels = pixels
        var planes = [Float](repeating: 0, count: 3 * plane)
        for channel in 0..<3 {
            for position in 0..<plane {
                planes[channel * plane + position] = Float(levels[position * channels + channel]) / 127.5 - 1
            }
        }
        return Tensor(planes, shape: [3, height, width])
    }

    private static func level(of value: Float) -> UInt8 {
        guard !value.isNaN else { return 0 }
        let unit = min(max(value / 2 + 0.5, 0), 1)
        return UInt8((unit * 255).rounded(.toNearestOrEven))
    }
}
