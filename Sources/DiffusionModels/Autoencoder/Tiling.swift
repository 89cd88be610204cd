import Tensors

/// A picture made in overlapping tiles whose borders are blended, as diffusers' `AutoencoderKL.tiled_decode` does.
///
/// It takes memory for one tile's activations, however large the picture. Norms see one tile at a time, so the picture is not
/// quite that of an undivided pass.
struct Tiling {
    /// Extent of a tile of the input.
    let size: Int
    /// Output pixels along the side of an input pixel.
    let growth: Int

    /// From one tile's start to the next's; a quarter overlaps.
    private var step: Int { size * 3 / 4 }
    /// Output pixels over which two tiles are blended.
    private var overlap: Int { size * growth / 4 }
    /// Output pixels that a tile leaves in the picture.
    private var kept: Int { size * growth - overlap }

    /// - Parameters:
    ///   - input: `[channels, height, width]`.
    ///   - body: makes `[channels, growth · height, growth · width]` of a tile.
    func map(_ input: Tensor, _ body: (Tensor) -> Tensor) -> Tensor {
        let (height, width) = (input.shape[1], input.shape[2])
        var above: [Planes] = []
        var result: Planes?
        for (tileRow, top) in stride(from: 0, to: height, by: step).enumerated() {
            var row: [Planes] = []
            for (tileColumn, left) in stride(from: 0, to: width, by: step).enumerated() {
                let part = Planes(input).cut(
                    rows: top..<min(top + size, height),
                    columns: left..<min(left + size, width)
                )
                var tile = Planes(body(part.tensor))
                if tileRow > 0 { tile.blendTop(with: above[tileColumn], over: overlap) }
                if let before = row.last { tile.blendLeft(with: before, over: overlap) }
                row.append(tile)
                if result == nil {
                    result = Planes(channels: tile.channels, rows: height * growth, columns: width * growth)
                }
                result?.paste(tile, row: tileRow * kept, column: tileColumn * kept, limit: kept)
            }
            above = row
        }
        return result?.tensor ?? input
    }
}

/// Planes of numbers, `[channels, rows, columns]`.
private struct Planes {
    let channels: Int
    let rows: Int
    let columns: Int
    private var values: [Float]

    init(channels: Int, rows: Int, columns: Int) {
        self.channels = channels
        self.rows = rows
        self.columns = columns
        values = [Float](repeating: 0, count: channels * rows * columns)
    }

    init(_ tensor: Tensor) {
        (channels, rows, columns) = (tensor.shape[0], tensor.shape[1], tensor.shape[2])
        values = tensor.values
    }

    var tensor: Tensor { Tensor(values, shape: [channels, rows, columns]) }

    private func index(_ channel: Int, _ row: Int, _ column: Int) -> Int {
        (channel * rows + row) * columns + column
    }

    func cut(rows rowRange: Range<Int>, columns columnRange: Range<Int>) -> Planes {
        var part = Planes(channels: channels, rows: rowRange.count, columns: columnRange.count)
        part.values.removeAll(keepingCapacity: true)
        for channel in 0..<channels {
            for row in rowRange {
                let start = index(channel, row, columnRange.lowerBound)
                part.values += values[start..<start + columnRange.count]
            }
        }
        return part
    }

    /// Writes the first `limit` rows and columns of a tile, as far as they lie in the picture.
    mutating func paste(_ tile: Planes, row: Int, column: Int, limit: Int) {
        let count = min(limit, tile.columns, columns - column)
        guard count > 0 else { return }
        for channel in 0..<channels {
            for y in 0..<max(0, min(limit, tile.rows, rows - row)) {
                let source = tile.index(channel, y, 0)
                let target = index(channel, row + y, column)
                values.replaceSubrange(target..<target + count, with: tile.values[source..<source + count])
            }
        }
    }

    /// Goes over from the last rows of the tile above to this tile's own.
    mutating func blendTop(with other: Planes, over overlap: Int) {
        let extent = min(other.rows, rows, overlap)
        for channel in 0..<channels {
            for y in 0..<extent {
                for x in 0..<columns {
                    blend(
                        index(channel, y, x),
                        with: other.values[other.index(channel, other.rows - extent + y, x)],
                        share: Float(y) / Float(extent)
                    )
                }
            }
        }
    }

    /// Goes over from the last columns of the tile before to this tile's own.
    mutating func blendLeft(with other: Planes, over overlap: Int) {
        let extent = min(other.columns, columns, overlap)
        for channel in 0..<channels {
            for y in 0..<rows {
                for x in 0..<extent {
                    blend(
                        index(channel, y, x),
                        with: other.values[other.index(channel, y, other.columns - extent + x)],
                        share: Float(x) / Float(extent)
                    )
                }
            }
        }
    }

    private mutating func blend(_ index: Int, with other: Float, share: Float) {
        values[index] = other * (1 - share) + values[index] * share
    }
}
