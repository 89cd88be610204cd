import ImageFiles
import Testing

private let red = Color(red: 255, green: 0, blue: 0)
private let blue = Color(red: 0, green: 0, blue: 255)

struct PictureTests {
    @Test func `enlarging repeats every pixel`() {
        let picture = Picture(width: 2, height: 1, pixels: [1, 2, 3, 4, 5, 6])
        let enlarged = picture.enlarged(by: 2)
        #expect(enlarged.width == 4 && enlarged.height == 2)
        let row: [UInt8] = [1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6]
        #expect(enlarged.pixels == row + row)
        #expect(picture.enlarged(by: 1) == picture)
        let clear = Picture(width: 1, height: 1, channels: 4, pixels: [1, 2, 3, 4]).enlarged(by: 3)
        #expect(clear.pixels == (0..<9).flatMap { _ in [1, 2, 3, 4] as [UInt8] })
    }

    @Test func `a colour fills a picture`() {
        let picture = Picture(width: 3, height: 2, filledWith: Color(red: 1, green: 2, blue: 3))
        #expect(picture.pixels == (0..<6).flatMap { _ in [1, 2, 3] as [UInt8] })
        #expect(picture[2, 1] == Color(red: 1, green: 2, blue: 3))
    }

    @Test func `a picture drawn over the edge is cut off`() {
        let stamp = Picture(width: 2, height: 2, filledWith: red)
        for (x, y, inked) in [(-1, -1, 1), (3, 2, 1), (1, 1, 4), (-2, 0, 0), (4, 0, 0), (0, 9, 0), (3, 0, 2)]
        {
            var canvas = Picture(width: 4, height: 3, filledWith: .white)
            canvas.draw(stamp, x: x, y: y)
            let count = (0..<12).count { canvas[$0 % 4, $0 / 4] == red }
            #expect(count == inked, "(\(x), \(y))")
        }
        var canvas = Picture(width: 4, height: 3, filledWith: .white)
        canvas.draw(stamp, x: -1, y: -1)
        #expect(canvas[0, 0] == red)
    }

    @Test func `a larger picture covers a smaller one`() {
        var canvas = Picture(width: 2, height: 2, filledWith: .white)
        canvas.draw(Picture(width: 9, height: 9, filledWith: blue), x: -3, y: -4)
        #expect(canvas == Picture(width: 2, height: 2, filledWith: blue))
        canvas.fill(x: 1, y: 0, width: 100, height: 1, with: red)
        #expect([canvas[0, 0], canvas[1, 0], canvas[0, 1], canvas[1, 1]] == [blue, red, blue, blue])
    }

    @Test func `opacity mixes with what is below`() {
        var canvas = Picture(width: 3, height: 1, filledWith: .white)
        let glass = Picture(
            width: 3,
            height: 1,
            channels: 4,
            pixels: [0, 0, 0, 0, 0, 100, 0, 128, 9, 8, 7, 255]
        )
        canvas.draw(glass, x: 0, y: 0)
        #expect(canvas.pixels == [255, 255, 255, 127, 177, 127, 9, 8, 7])
    }

    @Test func `a picture of wrong size is a programmer's mistake`() async {
        await #expect(processExitsWith: .failure) {
            _ = Picture(width: 2, height: 2, pixels: [1, 2, 3])
        }
    }
}
