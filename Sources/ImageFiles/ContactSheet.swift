/// Pictures of one size in rows and columns, with captions above the columns and labels left of the rows.
package struct ContactSheet {
    /// Enough that neighbouring captions do not read as one.
    package static let standardMargin = 10

    private let rows: [[Picture]]
    private let labels: [Lettering]
    private let captions: [Lettering]
    private let margin: Int
    private let cellWidth: Int
    private let cellHeight: Int

    /// Lays out `rows`, which may be of different lengths but hold pictures of one size, at least one in all.
    ///
    /// `scale` enlarges the pictures by repeating pixels, `textScale` the letters. Captions wrap to the width
    /// of a cell, labels to that width or 160 pixels, whichever is more. `margin` is the distance between any
    /// two things, in pixels.
    package init(
        rows: [[Picture]],
        rowLabels: [String] = [],
        columnCaptions: [String] = [],
        margin: Int = standardMargin,
        scale: Int = 1,
        textScale: Int = 1
    ) {
        guard let first = rows.joined().first else {
            preconditionFailure("a sheet shows at least one picture")
        }
        precondition(
            rows.joined().allSatisfy { $0.width == first.width && $0.height == first.height },
            "the pictures of a sheet are all of the size \(first.width) x \(first.height)"
        )
        precondition(
            rowLabels.count <= rows.count && columnCaptions.count <= rows.map(\.count).max() ?? 0,
            "\(rowLabels.count) labels and \(columnCaptions.count) captions are more than rows and columns"
        )
        precondition(margin >= 0, "a margin is not negative, got \(margin)")
        cellWidth = first.width * scale
        cellHeight = first.height * scale
        let labelWidth = max(cellWidth, 160 * textScale)
        labels = rowLabels.map { Lettering($0, width: labelWidth, scale: textScale) }
        let captionWidth = cellWidth
        captions = columnCaptions.map { Lettering($0, width: captionWidth, scale: textScale) }
        self.rows = rows.map { $0.map { $0.enlarged(by: scale) } }
        self.margin = margin
    }

    /// The sheet, black letters on white.
    package var picture: Picture {
        var sheet = Picture(width: width, height: rowTops[rows.count], filledWith: .white)
        for (column, caption) in captions.enumerated() {
            sheet.draw(caption, x: left(ofColumn: column), y: margin)
        }
        for (row, label) in labels.enumerated() { sheet.draw(label, x: margin, y: rowTops[row]) }
        for (row, pictures) in rows.enumerated() {
            for (column, picture) in pictures.enumerated() {
                sheet.draw(picture, x: left(ofColumn: column), y: rowTops[row])
            }
        }
        return sheet
    }

    /// Where the top left pixel of a picture is on the sheet.
    package func origin(row: Int, column: Int) -> (x: Int, y: Int) {
        (x: left(ofColumn: column), y: rowTops[row])
    }
}

// MARK: - Layout

extension ContactSheet {
    private func left(ofColumn column: Int) -> Int {
        let labelWidth = labels.map(\.width).max() ?? 0
        return margin + (labelWidth > 0 ? labelWidth + margin : 0) + column * (cellWidth + margin)
    }

    private var width: Int { left(ofColumn: rows.map(\.count).max() ?? 0) }

    /// The upper edge of each row, and the sheet's lower edge.
    ///
    /// A row is as high as its pictures or its label.
    private var rowTops: [Int] {
        let captionHeight = captions.map(\.height).max() ?? 0
        var tops = [margin + (captionHeight > 0 ? captionHeight + margin : 0)]
        for row in rows.indices {
            let labelHeight = row < labels.count ? labels[row].height : 0
            tops.append(tops[row] + max(cellHeight, labelHeight) + margin)
        }
        return tops
    }
}
