import ImageFiles
import Testing

struct ContactSheetTests {
    /// A picture of 6 x 4 pixels in a colour of its own.
    private func picture(_ shade: UInt8) -> Picture {
        Picture(width: 6, height: 4, filledWith: Color(red: shade, green: 0, blue: 0))
    }

    @Test func `pictures lie in rows and columns with margins between`() {
        let sheet = ContactSheet(
            rows: [[picture(10), picture(20), picture(30)], [picture(40), picture(50)]],
            margin: 2
        )
        let drawn = sheet.picture
        #expect(drawn.width == 2 + 3 * (6 + 2) && drawn.height == 2 + 2 * (4 + 2))
        for (row, column, shade) in [(0, 0, 10), (0, 1, 20), (0, 2, 30), (1, 0, 40), (1, 1, 50)] {
            let (x, y) = sheet.origin(row: row, column: column)
            #expect((x, y) == (2 + column * 8, 2 + row * 6))
            let color = Color(red: UInt8(shade), green: 0, blue: 0)
            #expect(drawn[x, y] == color && drawn[x + 5, y + 3] == color)
            #expect(drawn[x - 1, y] == .white && drawn[x, y - 1] == .white)
            #expect(drawn[x + 6, y] == .white && drawn[x, y + 4] == .white)
        }
        #expect(drawn[18, 8] == .white, "there is no sixth picture")
        #expect(inkCount(drawn) == 5 * 24)
    }

    @Test func `a scale enlarges the pictures, not the margins`() {
        let sheet = ContactSheet(rows: [[picture(10), picture(20)]], margin: 3, scale: 5)
        #expect(sheet.picture.width == 3 + 2 * (30 + 3) && sheet.picture.height == 3 + 20 + 3)
        #expect(inkCount(sheet.picture) == 2 * 600)
    }

    @Test func `captions and labels take their place and move the pictures`() {
        let bare = ContactSheet(rows: [[picture(10), picture(20)]], margin: 2, scale: 6)
        let sheet = ContactSheet(
            rows: [[picture(10), picture(20)]],
            rowLabels: ["cat"],
            columnCaptions: ["one", "number two"],
            margin: 2,
            scale: 6
        )
        // "number two" takes two lines of 36 pixels, 20 pixels high; "cat" is 17 pixels wide.
        #expect(sheet.origin(row: 0, column: 0) == (x: 2 + 17 + 2, y: 2 + 20 + 2))
        #expect(sheet.picture.width == bare.picture.width + 19)
        #expect(sheet.picture.height == bare.picture.height + 22)
        #expect(inkCount(sheet.picture) > inkCount(bare.picture) + 100)
    }

    @Test func `a row is as high as its label`() {
        let sheet = ContactSheet(
            rows: [[picture(10)], [picture(20)]],
            rowLabels: ["1\n2\n3", ""],
            margin: 1
        )
        #expect(sheet.origin(row: 1, column: 0) == (x: 1 + 5 + 1, y: 1 + 31 + 1))
        #expect(sheet.picture.height == 1 + 31 + 1 + 4 + 1)
    }

    @Test func `pictures of two sizes are a programmer's mistake`() async {
        await #expect(processExitsWith: .failure) {
            let small = Picture(width: 1, height: 1, filledWith: .white)
            _ = ContactSheet(rows: [[small, small.enlarged(by: 2)]])
        }
    }

    @Test func `a sheet of nothing is a programmer's mistake`() async {
        await #expect(processExitsWith: .failure) { _ = ContactSheet(rows: [[], []]) }
    }

    private func inkCount(_ picture: Picture) -> Int {
        (0..<picture.width * picture.height).count {
            picture[$0 % picture.width, $0 / picture.width] != .white
        }
    }
}
