import Foundation
import ImageFiles
import Testing

struct PNGFileTests {
    /// A folder of this test, removed with all in it when the test ends.
    final class TemporaryFolder {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("images-\(UUID())").path

        init() throws {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        }
        deinit { try? FileManager.default.removeItem(atPath: path) }
    }

    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test(arguments: [3, 4])
    func `a picture comes back as written`(channels: Int) throws {
        let picture = noise(width: 7, height: 5, channels: channels)
        let path = folder.path + "/picture.png"
        try PNGFile.write(picture, to: path)
        #expect(try PNGFile.read(path) == picture)
        #expect(try PNGFile.decode(Array(Data(contentsOf: URL(fileURLWithPath: path)))) == picture)
        #expect(try PNGFile.decode(PNGFile.encode(picture)) == picture)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["picture.png"])
    }

    @Test func `a picture that does not compress fits its buffer`() throws {
        let picture = noise(width: 211, height: 173, channels: 3)
        #expect(try PNGFile.decode(PNGFile.encode(picture)) == picture)
        let dot = Picture(width: 1, height: 1, filledWith: Color(red: 1, green: 2, blue: 3))
        #expect(try PNGFile.decode(PNGFile.encode(dot)) == dot)
    }

    @Test func `a file is replaced as a whole`() throws {
        let path = folder.path + "/picture.png"
        try PNGFile.write(noise(width: 30, height: 30, channels: 3), to: path)
        let second = Picture(width: 2, height: 1, filledWith: .white)
        try PNGFile.write(second, to: path)
        #expect(try PNGFile.read(path) == second)
    }

    @Test func `grey becomes colour`() throws {
        let bytes = """
            89504e470d0a1a0a0000000d4948445200000002000000010800000000d14920560000000b4944415478da63
            6068000000830081146b9b430000000049454e44ae426082
            """
        #expect(try PNGFile.decode(hex(bytes)).pixels == [0, 0, 0, 128, 128, 128])
    }

    @Test func `a palette with transparency becomes colour and opacity`() throws {
        let bytes = """
            89504e470d0a1a0a0000000d4948445200000003000000010203000000668efc2700000009504c5445ff0000
            00ff000000ff2d4acd8a0000000274524e53ff80080fb36a0000000a4944415478da63900000001a00198000
            8ebb0000000049454e44ae426082
            """
        let picture = try PNGFile.decode(hex(bytes))
        #expect(picture.channels == 4)
        #expect(picture.pixels == [255, 0, 0, 255, 0, 255, 0, 128, 0, 0, 255, 255])
    }

    @Test func `16 bits become 8`() throws {
        let bytes = """
            89504e470d0a1a0a0000000d4948445200000001000000011002000000c0e78f9d0000000f4944415478da63
            f8ffbfa1818101000e7c02ff3e79fa030000000049454e44ae426082
            """
        #expect(try PNGFile.decode(hex(bytes)).pixels == [255, 128, 0])
    }

    @Test func `a picture that claims too many pixels is refused before they are held`() throws {
        let bytes = """
            89504e470d0a1a0a0000000d49484452000186a0000186a0080200000027309c9f0000000b4944415478da63
            60800100000a0001ec2403b90000000049454e44ae426082
            """
        #expect(throws: ImageFileError.tooLarge(path: "PNG", width: 100_000, height: 100_000)) {
            try PNGFile.decode(hex(bytes))
        }
    }

    @Test func `every truncation is refused`() throws {
        let bytes = try PNGFile.encode(noise(width: 5, height: 4, channels: 3))
        // The last 12 bytes are the IEND chunk, which libpng does not wait for.
        for count in 0..<bytes.count - 12 {
            #expect(throws: ImageFileError.self, "\(count) bytes") {
                try PNGFile.decode(Array(bytes.prefix(count)))
            }
        }
    }

    @Test func `no flipped bit traps, and none goes unseen`() throws {
        let picture = noise(width: 5, height: 4, channels: 3)
        let bytes = try PNGFile.encode(picture)
        for bit in 0..<(bytes.count - 12) * 8 {
            var damaged = bytes
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            do {
                #expect(try PNGFile.decode(damaged) == picture, "bit \(bit)")
            } catch {
                #expect("\(error)".hasPrefix("PNG: "))
            }
        }
    }

    @Test func `what is not there, or no PNG, or no place to write is named`() throws {
        let missing = folder.path + "/none.png"
        #expect(throws: ImageFileError.unreadable(path: missing, reason: "No such file or directory")) {
            try PNGFile.read(missing)
        }
        #expect(throws: ImageFileError.self) { try PNGFile.decode([]) }
        #expect(throws: ImageFileError.unreadable(path: "PNG", reason: "Not a PNG file")) {
            try PNGFile.decode(Array("This is text and not a picture at all.".utf8))
        }
        let nowhere = folder.path + "/none/x.png"
        #expect {
            try PNGFile.write(Picture(width: 1, height: 1, filledWith: .black), to: nowhere)
        } throws: { error in
            guard case ImageFileError.unwritable(nowhere, let reason) = error else { return false }
            return reason.contains("No such file")
        }
    }
}

/// A picture of pseudo-random pixels.
private func noise(width: Int, height: Int, channels: Int) -> Picture {
    var state: UInt32 = 2_463_534_242
    let pixels = (0..<width * height * channels).map { _ in
        state ^= state << 13
        state ^= state >> 17
        state ^= state << 5
        return UInt8(truncatingIfNeeded: state >> 11)
    }
    return Picture(width: width, height: height, channels: channels, pixels: pixels)
}

/// Bytes from hexadecimal digits and line feeds.
private func hex(_ text: String) -> [UInt8] {
    let digits = text.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}
