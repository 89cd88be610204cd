import Foundation
import ImageFiles
import TestSupport
import Testing

struct JPEGFileTests {
    @Test func `a picture has the bytes that Pillow was seen to read back as the picture`() throws {
        // Scripts/reference/check_jpeg.py.
        let picture = try PNGFile.read(Repository.fixture("jpeg.png"))
        let expected = try Data(contentsOf: URL(filePath: Repository.fixture("jpeg.jpg")))
        #expect(Data(JPEGFile.encode(picture)) == expected)
    }

    @Test func `opacity is left out, and more quality takes more bytes`() throws {
        let picture = try PNGFile.read(Repository.fixture("jpeg.png"))
        let opaque = stride(from: 0, to: picture.pixels.count, by: 3).flatMap {
            picture.pixels[$0..<$0 + 3] + [255]
        }
        let translucent = Picture(width: picture.width, height: picture.height, channels: 4, pixels: opaque)
        #expect(JPEGFile.encode(translucent) == JPEGFile.encode(picture))
        let sizes = [1, 50, 75, 95, 100].map { JPEGFile.encode(picture, quality: $0).count }
        #expect(sizes == sizes.sorted())
        #expect(Set(sizes).count == sizes.count)
    }
}
