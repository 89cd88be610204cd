import CKernels

/// A frozen convolution over a picture, channels last, its weight laid out once for products.
///
/// No window is ever copied: a kernel's row over consecutive pixels is a matrix whose rows overlap in memory, so a
/// row of output is a product a kernel row, and three rows of input are held at a time.
package struct PictureConvolution: Sendable {
    /// How the output's extent follows from the input's.
    package enum Sampling: Sendable {
        /// Stride 1, padded by half a kernel on all sides: the same extent.
        case same
        /// Stride 2, padded by one row and column at the end alone: half the extent, rounded down.
        case halving
        /// Every pixel doubled in both directions, then as `same`: twice the extent.
        case doubling
    }

    package let inputs: Int
    package let outputs: Int
    fileprivate let sampling: Sampling
    /// Rows of input that a row of output reads, relative to its own.
    fileprivate let rows: ClosedRange<Int>
    /// Columns of zeros before and behind a row of input.
    fileprivate let padding: (before: Int, behind: Int)
    fileprivate let phases: [Phase]
    fileprivate let bias: Tensor
    private let precision: Precision

    /// The outputs at some place of every doubled pixel; the only ones where nothing is doubled.
    fileprivate struct Phase: Sendable {
        let row: Int
        let column: Int
        let taps: [Tap]
    }

    /// A run of consecutive pixels in one row of input, times a part of the kernel.
    fileprivate struct Tap: Sendable {
        let row: Int
        /// The first column, counted from the one before the output's own where rows are padded there.
        let column: Int
        /// Pixels.
        let count: Int
        let panels: Storage
    }

    /// - Parameters:
    ///   - weight: `[out, in, kernel, kernel]` as PyTorch stores it, kernel 1 or 3; 3 unless the extent stays.
    ///   - bias: `[out]`.
    package init(
        weight: Tensor,
        bias: Tensor,
        sampling: Sampling = .same,
        precision: Precision = .float32
    ) {
        precondition(
            weight.shape.count == 4 && weight.shape[2] == weight.shape[3] && bias.count == weight.shape[0]
                && (weight.shape[2] == 3 || (weight.shape[2] == 1 && sampling == .same)),
            "a kernel of shape \(weight.shape)"
        )
        inputs = weight.shape[1]
        outputs = weight.shape[0]
        self.sampling = sampling
        self.bias = bias
        // Where bfloat16 is not fast its panels are slower than those of 32-bit floats.
        self.precision = Precision.isBFloat16Fast ? precision : .float32
        let kernel = KernelPixels(weight)
        switch sampling {
        case .same where kernel.size == 1:
            (rows, padding) = (0...0, (0, 0))
            phases = [Phase(row: 0, column: 0, taps: [kernel.tap([[0]], at: 0, 0, self.precision)])]
        case .same:
            (rows, padding) = (-1...1, (1, 1))
            phases = [kernel.whole(rows: rows, self.precision)]
        case .halving:
            (rows, padding) = (0...2, (0, 1))
            phases = [kernel.whole(rows: rows, self.precision)]
        case .doubling:
            (rows, padding) = (-1...1, (1, 1))
            phases = kernel.doubled(self.precision)
        }
    }

    /// The stride.
    fileprivate var step: Int { sampling == .halving ? 2 : 1 }
    /// Outputs a pixel, in a row.
    fileprivate var growth: Int { sampling == .doubling ? 2 : 1 }

    fileprivate func matrix(_ tap: Tap) -> Matrix {
        unsafe Matrix(.panels(tap.panels.base, precision), stride: 0, transposed: true)
    }

    /// `[height, width]` of the output for an input of this extent.
    package func extent(_ height: Int, _ width: Int) -> (height: Int, width: Int) {
        (height / step * growth, width / step * growth)
    }
}

// MARK: - Laying out the kernel

/// A kernel by its pixels.
private struct KernelPixels {
    let size: Int
    private let inputs: Int
    private let outputs: Int
    /// `[out, kernel · kernel · in]`, a row's elements running (y, x, channel).
    private let weight: Tensor

    init(_ weight: Tensor) {
        (outputs, inputs, size) = (weight.shape[0], weight.shape[1], weight.shape[2])
        self.weight = .zeros([outputs, size * size * inputs])
        unsafe fs_patchify(weight.pointer, self.weight.pointer, outputs, inputs, size, size, 1)
    }

    /// The kernel as it is, a tap a row of it.
    func whole(rows: ClosedRange<Int>, _ precision: Precision) -> PictureConvolution.Phase {
        let taps = rows.enumerated().map { index, row in
            tap((0..<3).map { [3 * index + $0] }, at: row, 0, precision)
        }
        return PictureConvolution.Phase(row: 0, column: 0, taps: taps)
    }

    /// Over doubled pixels two of three rows, and columns, of the kernel meet the same one: their weights are added
    /// up, and four kernels of 2 × 2 are left, one for each place in a doubled pixel.
    func doubled(_ precision: Precision) -> [PictureConvolution.Phase] {
        let met = [[[0], [1, 2]], [[0, 1], [2]]]
        return [(0, 0), (0, 1), (1, 0), (1, 1)].map { row, column in
            let taps = (0..<2).map { index in
                let pixels = met[column].map { columns in
                    met[row][index].flatMap { y in columns.map { 3 * y + $0 } }
                }
                return tap(pixels, at: row - 1 + index, column, precision)
            }
            return PictureConvolution.Phase(row: row, column: column, taps: taps)
        }
    }

    /// - Parameter pixels: for each pixel of the tap, those of the kernel whose sum is its weight.
    func tap(
        _ pixels: [[Int]],
        at row: Int,
        _ column: Int,
        _ precision: Precision
    ) -> PictureConvolution.Tap {
        let width = pixels.count * inputs
        let part = Tensor.zeros([outputs, width])
        let term = Tensor.zeros([outputs, width])
        for index in 0..<(pixels.map(\.count).max() ?? 0) {
            term.fill(0)
            for (place, kernelPixels) in pixels.enumerated() where index < kernelPixels.count {
                unsafe fs_copy_strided(
                    weight.pointer + kernelPixels[index] * inputs,
                    size * size * inputs,
                    term.pointer + place * inputs,
                    width,
                    outputs,
                    inputs
                )
            }
            part.accumulate(term)
        }
        let matrix = unsafe Matrix(part.pointer, stride: width, transposed: true)
        return PictureConvolution.Tap(
            row: row,
            column: column,
            count: pixels.count,
            panels: unsafe matrix.panels(n: outputs, k: width, precision)
        )
    }
}

// MARK: - Computing

extension Tape {
    /// A convolution of a picture that nobody differentiates, in memory of its own.
    ///
    /// - Parameters:
    ///   - x: `[height, width, inputs]`.
    ///   - norm: applied to `x` row by row before.
    ///   - sum: the result is added to it, and written over it.
    /// - Returns: `[height, width, outputs]` of ``PictureConvolution/extent(_:_:)``.
    package func convolve(
        _ x: Tensor,
        _ convolution: PictureConvolution,
        norm: ChannelNormalization? = nil,
        addingTo sum: Tensor? = nil
    ) -> Tensor {
        let extent = convolution.extent(x.shape[0], x.shape[1])
        let shape = [extent.height, extent.width, convolution.outputs]
        precondition(
            x.shape.count == 3 && x.shape[2] == convolution.inputs && sum.map { $0.shape == shape } ?? true,
            "a convolution of \(convolution.inputs) channels over \(x.shape), added to \(sum?.shape ?? [])"
        )
        let result = sum ?? .zeros(shape)
        let pass = PicturePass(x: x, convolution: convolution, norm: norm, result: result, isSum: sum != nil)
        share(pass.height, least: pass.leastRows) { arena, range in
            arena.scratch(pass.scratchSize) { pass.compute(range, $0) }
        }
        return result
    }
}

/// A convolution of one picture.
private struct PicturePass {
    let x: Tensor
    let convolution: PictureConvolution
    let norm: ChannelNormalization?
    let result: Tensor
    let isSum: Bool

    /// Rows of output, doubled ones counted once.
    var height: Int { x.shape[0] / convolution.step }
    private var width: Int { x.shape[1] / convolution.step }
    private var paddedWidth: Int {
        x.shape[1] + convolution.padding.before + convolution.padding.behind
    }
    private var rowSize: Int { paddedWidth * convolution.inputs }
    private var taps: [PictureConvolution.Tap] { convolution.phases.flatMap(\.taps) }
    private var deepest: Int { (taps.map(\.count).max() ?? 0) * convolution.inputs }

    var leastRows: Int {
        let pixels = taps.reduce(0) { $0 + $1.count }
        return 1 + (1 << 19) / max(1, pixels * convolution.inputs * convolution.outputs * width)
    }

    /// Floats of the rows held at a time, and of a product's workspace.
    var scratchSize: Int {
        convolution.rows.count * rowSize + fs_product_workspace(convolution.outputs, deepest, 0)
    }

    /// Writes some rows of the result.
    func compute(_ range: Range<Int>, _ scratch: Tensor) {
        let held = convolution.rows.count
        let workspace = unsafe scratch.pointer + held * rowSize
        func place(_ row: Int) -> Tensor {
            let slot = (row - convolution.rows.lowerBound) % held
            return scratch.rows(slot * rowSize..<(slot + 1) * rowSize)
        }
        var next = range.lowerBound * convolution.step + convolution.rows.lowerBound
        for y in range {
            let own = y * convolution.step
            while next <= own + convolution.rows.upperBound {
                load(next, into: place(next))
                next += 1
            }
            for phase in convolution.phases {
                let columns = width * convolution.growth
                let row = y * convolution.growth + phase.row
                let target = (row * columns + phase.column) * convolution.outputs
                for (index, tap) in phase.taps.enumerated() {
                    let first = tap.column * convolution.inputs
                    unsafe multiplyAlone(
                        Matrix(
                            place(own + tap.row).pointer + first,
                            stride: convolution.step * convolution.inputs
                        ),
                        convolution.matrix(tap),
                        into: result.pointer + target,
                        stride: convolution.growth * convolution.outputs,
                        ProductShape(
                            m: width,
                            n: convolution.outputs,
                            k: tap.count * convolution.inputs
                        ),
                        bias: index == 0 ? UnsafePointer(convolution.bias.pointer) : nil,
                        adding: isSum || index > 0,
                        workspace: workspace
                    )
                }
            }
        }
    }

    /// A row of input between its columns of zeros, normalised; zeros outside the picture.
    private func load(_ row: Int, into target: Tensor) {
        guard row >= 0, row < x.shape[0] else { return target.fill(0) }
        let channels = convolution.inputs
        let before = convolution.padding.before * channels
        let count = x.shape[1] * channels
        target.rows(0..<before).fill(0)
        target.rows(before + count..<rowSize).fill(0)
        let source = x.row(row)
        let inside = target.rows(before..<before + count)
        guard let norm else { return inside.copy(from: source) }
        unsafe fs_normalize_channels(
            source.pointer,
            norm.center.pointer,
            norm.factor.pointer,
            norm.offset.pointer,
            norm.activates ? 1 : 0,
            inside.pointer,
            x.shape[1],
            channels
        )
    }
}
