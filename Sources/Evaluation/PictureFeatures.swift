import Tensors

/// What two sets of pictures are compared by: 64 numbers a picture that nobody trained.
///
/// The picture is cut into 4 x 4 cells. The first 48 numbers are the mean red, green and blue of each cell, the
/// last 16 the contrast in it: the root mean square step between neighbouring pixels, to the right and down, of
/// the mean of the three colours. All are in units of model space, so 0 … 2.
enum PictureFeatures {
    /// Cells along an edge.
    private static let cellCount = 4
    static let count = cellCount * cellCount * 4

    /// The numbers of a picture `[3, height, width]`, its edges multiples of four; what is not a number counts
    /// as 0.
    static func features(of picture: Tensor) -> [Double] {
        let (height, width) = (picture.shape[1], picture.shape[2])
        precondition(
            picture.shape[0] == 3 && accepts(width: width, height: height),
            "a picture is [3, height, width] in cells of 4 x 4, got \(picture.shape)"
        )
        let values = picture.values.map { $0.isNaN ? 0 : Double(min(max($0, -1), 1)) }
        func mean(_ x: Int, _ y: Int) -> Double {
            (0..<3).reduce(0) { $0 + values[($1 * height + y) * width + x] } / 3
        }
        var colours: [Double] = []
        var contrasts: [Double] = []
        let (cellHeight, cellWidth) = (height / cellCount, width / cellCount)
        for row in 0..<cellCount {
            for column in 0..<cellCount {
                var sums = [0.0, 0, 0]
                var steps = 0.0
                for y in row * cellHeight..<(row + 1) * cellHeight {
                    for x in column * cellWidth..<(column + 1) * cellWidth {
                        for channel in 0..<3 { sums[channel] += values[(channel * height + y) * width + x] }
                        let here = mean(x, y)
                        if x + 1 < width { steps += (mean(x + 1, y) - here) * (mean(x + 1, y) - here) }
                        if y + 1 < height { steps += (mean(x, y + 1) - here) * (mean(x, y + 1) - here) }
                    }
                }
                let pixels = Double(cellHeight * cellWidth)
                colours += sums.map { $0 / pixels }
                contrasts.append((steps / (2 * pixels)).squareRoot())
            }
        }
        return colours + contrasts
    }

    /// Whether pictures of this size are cut into cells without a rest.
    static func accepts(width: Int, height: Int) -> Bool {
        width > 0 && height > 0 && width % cellCount == 0 && height % cellCount == 0
    }
}
