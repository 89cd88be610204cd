/// An 8-bit sRGB colour.
package struct Color: Equatable, Sendable {
    /// The share of red, 0 … 255.
    package let red: UInt8
    /// The share of green, 0 … 255.
    package let green: UInt8
    /// The share of blue, 0 … 255.
    package let blue: UInt8

    /// Mixes a colour.
    package init(red: UInt8, green: UInt8, blue: UInt8) {
        self.red = red
        self.green = green
        self.blue = blue
    }

    /// The colour of paper.
    package static let white = Color(red: 255, green: 255, blue: 255)
    /// The colour of ink.
    package static let black = Color(red: 0, green: 0, blue: 0)
}

/// An 8-bit sRGB picture, with or without opacity.
package struct Picture: Equatable, Sendable {
    /// Pixels in a row.
    package let width: Int
    /// Rows of pixels.
    package let height: Int
    /// 3 (red, green, blue) or 4 (and opacity, not premultiplied).
    package let channels: Int
    /// `[height, width, channels]`, row-major, the top row first.
    package private(set) var pixels: [UInt8]

    /// Takes pixels as they are: `height · width · channels` of them.
    package init(width: Int, height: Int, channels: Int = 3, pixels: [UInt8]) {
        precondition(width > 0 && height > 0, "a picture has pixels, not \(width) x \(height)")
        precondition(channels == 3 || channels == 4, "a picture has 3 or 4 channels, not \(channels)")
        precondition(
            pixels.count == width * height * channels,
            "\(width) x \(height) x \(channels) are not \(pixels.count) bytes"
        )
        self.width = width
        self.height = height
        self.channels = channels
        self.pixels = pixels
    }

    /// An opaque picture of one colour.
    package init(width: Int, height: Int, filledWith color: Color) {
        var pixels = [UInt8](repeating: color.red, count: width * height * 3)
        if color.green != color.red || color.blue != color.red {
            for start in stride(from: 0, to: pixels.count, by: 3) {
                pixels[start + 1] = color.green
                pixels[start + 2] = color.blue
            }
        }
        self.init(width: width, height: height, pixels: pixels)
    }

    /// The colour of a pixel, its opacity left out; (0, 0) is at the top left.
    package subscript(x: Int, y: Int) -> Color {
        precondition(contains(x, y), "pixel (\(x), \(y)) of a picture of \(width) x \(height)")
        let start = (y * width + x) * channels
        return Color(red: pixels[start], green: pixels[start + 1], blue: pixels[start + 2])
    }

    /// Every pixel made a square of `factor` · `factor` equal ones.
    package func enlarged(by factor: Int) -> Picture {
        precondition(factor >= 1, "a picture is enlarged by 1 or more, not \(factor)")
        if factor == 1 { return self }
        var enlarged: [UInt8] = []
        enlarged.reserveCapacity(pixels.count * factor * factor)
        for y in 0..<height {
            var row: [UInt8] = []
            row.reserveCapacity(width * factor * channels)
            for start in stride(from: y * width * channels, to: (y + 1) * width * channels, by: channels) {
                for _ in 0..<factor { row += pixels[start..<start + channels] }
            }
            for _ in 0..<factor { enlarged += row }
        }
        return Picture(width: width * factor, height: height * factor, channels: channels, pixels: enlarged)
    }
}

// MARK: - Drawing on an opaque picture

extension Picture {
    /// Lays `other` over this opaque picture, its top left at (x, y); what lies outside is cut off.
    package mutating func draw(_ other: Picture, x: Int, y: Int) {
        precondition(channels == 3, "pictures are drawn on opaque ones")
        let columns = max(0, -x)..<max(max(0, -x), min(other.width, width - x))
        for row in max(0, -y)..<max(max(0, -y), min(other.height, height - y)) {
            let source = (row * other.width + columns.lowerBound) * other.channels
            let target = ((y + row) * width + x + columns.lowerBound) * 3
            if other.channels == 3 {
                pixels.replaceSubrange(
                    target..<target + columns.count * 3,
                    with: other.pixels[source..<source + columns.count * 3]
                )
            } else {
                for column in 0..<columns.count {
                    blend(other.pixels, at: source + column * 4, into: target + column * 3)
                }
            }
        }
    }

    /// Fills a rectangle, clipped to this opaque picture.
    package mutating func fill(x: Int, y: Int, width: Int, height: Int, with color: Color) {
        guard width > 0, height > 0 else { return }
        draw(Picture(width: width, height: height, filledWith: color), x: x, y: y)
    }

    private mutating func blend(_ source: [UInt8], at start: Int, into target: Int) {
        let opacity = Int(source[start + 3])
        for channel in 0..<3 {
            let mixed =
                Int(source[start + channel]) * opacity + Int(pixels[target + channel]) * (255 - opacity)
            pixels[target + channel] = UInt8((mixed + 127) / 255)
        }
    }

    private func contains(_ x: Int, _ y: Int) -> Bool { x >= 0 && y >= 0 && x < width && y < height }
}
