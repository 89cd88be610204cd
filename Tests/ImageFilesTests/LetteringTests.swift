import ImageFiles
import Testing

struct LetteringTests {
    @Test(arguments: [
        ("a cat on a mat", 6 * 6, ["a cat", "on a", "mat"]),
        ("a cat on a mat", 1000, ["a cat on a mat"]),
        ("one\ntwo  three", 1000, ["one", "two three"]),
        ("incomprehensible cat", 6 * 6, ["incomp", "rehens", "ible", "cat"]),
        ("ok incomprehensible", 6 * 6, ["ok", "incomp", "rehens", "ible"]),
        ("exact!", 6 * 6, ["exact!"]),
        ("abc", 0, ["a", "b", "c"]),
        ("", 36, [""]),
        ("a\n\nb", 36, ["a", "", "b"]),
    ])
    func `a text wraps to its width`(text: String, width: Int, lines: [String]) {
        #expect(Lettering(text, width: width).lines == lines)
    }

    @Test func `a text knows its size`() {
        #expect(Lettering("abc").width == 17)
        #expect(Lettering("abc").height == 9)
        #expect(Lettering("abc\nd", scale: 2).width == 34)
        #expect(Lettering("abc\nd", scale: 2).height == 40)
        #expect(Lettering("").width == 0 && Lettering("").height == 0)
    }

    @Test func `every printable character has ink of its own`() {
        var drawings: Set<[UInt8]> = []
        for code in UInt8(33)...126 {
            let drawing = drawn(String(UnicodeScalar(code)))
            #expect(drawing.pixels.contains(0), "\(UnicodeScalar(code))")
            drawings.insert(drawing.pixels)
        }
        #expect(drawings.count == 94)
        #expect(drawn(" ") == Picture(width: 8, height: 11, filledWith: .white))
        #expect(drawn("猫") == drawn("?") && drawn("\u{7F}") == drawn("?"))
    }

    @Test func `letters are drawn where they belong`() {
        var canvas = Picture(width: 20, height: 24, filledWith: .white)
        canvas.draw(Lettering("L\nI", scale: 2), x: 1, y: 1)
        #expect(canvas[1, 1] == .black && canvas[2, 14] == .black && canvas[10, 14] == .black)
        #expect(canvas[3, 1] == .white && canvas[0, 0] == .white && canvas[11, 14] == .white)
        #expect(canvas[3, 23] == .black && canvas[5, 23] == .black)
    }

    private func drawn(_ text: String) -> Picture {
        var canvas = Picture(width: 8, height: 11, filledWith: .white)
        canvas.draw(Lettering(text), x: 1, y: 1)
        return canvas
    }
}
