import Foundation
import ImageFiles
import TestSupport
import Testing

/// Pictures cut and scaled to a size, and JPEGs read.
@Suite struct PictureScalingTests {
    /// A row of grey levels, on every one of `height` rows.
    private func row(_ levels: [UInt8], height: Int = 1) -> Picture {
        let pixels = levels.flatMap { [$0, $0, $0] }
        return Picture(
            width: levels.count,
            height: height,
            pixels: (0..<height).flatMap { _ in pixels }
        )
    }

    private func levels(_ picture: Picture) -> [UInt8] { (0..<picture.width).map { picture[$0, 0].red } }

    @Test func `a picture of the size asked for is left as it is`() {
        let picture = row([0, 7, 255, 30], height: 4)
        #expect(picture.fitted(width: 4, height: 4) == picture)
    }

    @Test func `halves are weighted by triangles over the pixels they cover`() {
        // Triangles of radius 2 around 1, 3 …: (1, 3, 3, 1) / 8 inside, (3, 3, 1) / 7 at the edge.
        let scaled = row([0, 0, 80, 160, 240, 240, 240, 240], height: 8).fitted(width: 4, height: 4)
        #expect(levels(scaled) == [11, 120, 230, 240])
    }

    @Test func `the middle is kept of a picture of another aspect`() {
        let wide = row([1, 2, 3, 4, 5, 6], height: 2).fitted(width: 2, height: 2)
        #expect(levels(wide) == [3, 4])
        let one = row([9], height: 1).fitted(width: 5, height: 3)
        #expect(one == Picture(width: 5, height: 3, filledWith: Color(red: 9, green: 9, blue: 9)))
    }

    @Test func `enlarging goes straight from centre to centre`() {
        #expect(levels(row([0, 100], height: 2).fitted(width: 4, height: 4)) == [0, 25, 75, 100])
    }

    @Test func `opacity is laid over white`() {
        let picture = Picture(width: 1, height: 1, channels: 4, pixels: [100, 0, 200, 51])
        #expect(picture.fitted(width: 1, height: 1).pixels == [224, 204, 244])
    }

    @Test func `a JPEG is read as it was written`() throws {
        // Scripts/reference/check_jpeg.py: what Pillow reads is within 4 levels of the picture.
        let bytes = try Data(contentsOf: URL(filePath: Repository.fixture("jpeg.jpg")))
        let picture = try PNGFile.read(Repository.fixture("jpeg.png"))
        let read = try PictureFile.decode(Array(bytes), path: "jpeg.jpg")
        #expect((read.width, read.height) == (picture.width, picture.height))
        let errors = zip(read.pixels, picture.pixels).map { abs(Int($0) - Int($1)) }
        #expect(Double(errors.reduce(0, +)) / Double(errors.count) < 4)
    }

    @Test func `damage that could be painted over is an error, and so is what is no JPEG`() throws {
        let bytes = Array(try Data(contentsOf: URL(filePath: Repository.fixture("jpeg.jpg"))))
        for spoiled in [Array(bytes.prefix(bytes.count / 2)), Array(bytes.prefix(20)), [0xFF, 0xD8, 0xFF]] {
            let error = try #require(throws: ImageFileError.self) {
                try PictureFile.decode(spoiled, path: "a.jpg")
            }
            #expect(error.description.hasPrefix("a.jpg: not a readable picture: "))
        }
        var huge = bytes
        let header = try #require(bytes.indices.first { bytes[$0] == 0xFF && bytes[$0 + 1] == 0xC0 })
        huge.replaceSubrange(header + 5..<header + 9, with: [0xFF, 0, 0xFF, 0])
        #expect(throws: ImageFileError.tooLarge(path: "a.jpg", width: 65_280, height: 65_280)) {
            try PictureFile.decode(huge, path: "a.jpg")
        }
    }
}
