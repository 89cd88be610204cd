/// Pictures in JPEG files (ITU-T T.81, JFIF): written as baseline, colours at full resolution, and read by libjpeg.
package enum JPEGFile {
    /// The luminance quantizers of T.81 table K.1, row by row.
    ///
    /// Other qualities scale them as the Independent JPEG Group does. Colours use them too, as they are finer than
    /// those of table K.2.
    private static let quantizers = [
        16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14,
        17, 22, 29,
        51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87,
        103, 121,
        120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
    ]
    /// The most an edge can be, as the format has two bytes for it.
    private static let largestEdge = 65_535

    /// The bytes of the picture's file; opacity is left out.
    ///
    /// - Parameter quality: from 1 to 100, as the Independent JPEG Group counts it.
    package static func encode(_ picture: Picture, quality: Int = 95) -> [UInt8] {
        precondition((1...100).contains(quality), "a quality is from 1 to 100, not \(quality)")
        precondition(
            max(picture.width, picture.height) <= largestEdge,
            "a JPEG is at most \(largestEdge) pixels wide and high, not \(picture.width) x \(picture.height)"
        )
        let scale = quality < 50 ? 5000 / quality : 200 - 2 * quality
        let divisors = quantizers.map { min(max(($0 * scale + 50) / 100, 1), 255) }
        var bytes: [UInt8] = [0xFF, 0xD8]
        // JFIF 1.1, no unit of length, no thumbnail.
        bytes += segment(0xE0, [0x4A, 0x46, 0x49, 0x46, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0])
        bytes += segment(0xDB, [0] + JPEGBlock.zigzag.map { UInt8(divisors[$0]) })
        // Three components of 8 bits, each sampled once a pixel and quantized alike.
        bytes += segment(
            0xC0,
            [8] + twoBytes(picture.height) + twoBytes(picture.width)
                + [3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0]
        )
        bytes += segment(0xC4, [0x00] + HuffmanCode.differences.definition)
        bytes += segment(0xC4, [0x10] + HuffmanCode.coefficients.definition)
        bytes += segment(0xDA, [3, 1, 0, 2, 0, 3, 0, 0, 63, 0])
        bytes += scan(picture, divisors: divisors)
        return bytes + [0xFF, 0xD9]
    }

    private static func segment(_ marker: UInt8, _ content: [UInt8]) -> [UInt8] {
        [0xFF, marker] + twoBytes(content.count + 2) + content
    }

    private static func twoBytes(_ value: Int) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xFF)] }

    /// All blocks from the upper left on, the three components of each in turn.
    private static func scan(_ picture: Picture, divisors: [Int]) -> [UInt8] {
        var bits = BitWriter()
        var previous = [0, 0, 0]
        for y in stride(from: 0, to: picture.height, by: 8) {
            for x in stride(from: 0, to: picture.width, by: 8) {
                let components = samples(of: picture, x: x, y: y)
                for component in 0..<3 {
                    let block = JPEGBlock(components[component], divisors: divisors)
                    block.write(to: &bits, after: &previous[component])
                }
            }
        }
        return bits.finished()
    }

    /// Luminance and both colour differences of a square of 8 x 8 pixels, less 128; beyond the picture's edge its
    /// last pixels are repeated.
    private static func samples(of picture: Picture, x: Int, y: Int) -> [[Float]] {
        var components = [[Float]](repeating: [], count: 3)
        for row in y..<y + 8 {
            for column in x..<x + 8 {
                let pixel = min(row, picture.height - 1) * picture.width + min(column, picture.width - 1)
                let (red, green, blue) = picture.levels(at: pixel)
                components[0].append(0.299 * red + 0.587 * green + 0.114 * blue - 128)
                components[1].append(-0.168736 * red - 0.331264 * green + 0.5 * blue)
                components[2].append(0.5 * red - 0.418688 * green - 0.081312 * blue)
            }
        }
        return components
    }
}

extension Picture {
    /// Red, green and blue of a pixel, 0 … 255.
    fileprivate func levels(at pixel: Int) -> (Float, Float, Float) {
        let start = pixel * channels
        return (Float(pixels[start]), Float(pixels[start + 1]), Float(pixels[start + 2]))
    }
}
