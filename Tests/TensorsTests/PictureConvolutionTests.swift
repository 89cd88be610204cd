import Tensors
import TestSupport
import Testing

/// Convolutions without windows against their definition.
@Suite struct PictureConvolutionTests {
    private let random = (x: randomTensor([5, 7, 6], seed: 1), weight: randomTensor([4, 6, 3, 3], seed: 2))
    private let bias = randomTensor([4], seed: 3)

    /// Σ weight · x over a window whose first pixel is (y, x), zeros outside.
    private func sum(
        _ x: (Int, Int, Int) -> Float,
        _ extent: (Int, Int),
        channels: Int,
        _ weight: [Float],
        output: Int,
        at place: (Int, Int)
    ) -> Double {
        var sum = 0.0
        for channel in 0..<channels {
            for ky in 0..<3 {
                for kx in 0..<3 {
                    let (row, column) = (place.0 + ky, place.1 + kx)
                    guard (0..<extent.0).contains(row), (0..<extent.1).contains(column) else { continue }
                    let w = weight[((output * channels + channel) * 3 + ky) * 3 + kx]
                    sum += Double(w) * Double(x(row, column, channel))
                }
            }
        }
        return sum
    }

    private func expect(
        _ sampling: PictureConvolution.Sampling,
        extent: (height: Int, width: Int),
        input: (Int, Int),
        _ pixel: (Int, Int, Int) -> Float,
        first: (Int, Int) -> (Int, Int)
    ) {
        let convolution = PictureConvolution(weight: random.weight, bias: bias, sampling: sampling)
        let found = Tape().convolve(random.x, convolution)
        #expect(found.shape == [extent.height, extent.width, 4])
        let (values, weight) = (found.values, random.weight.values)
        for y in 0..<extent.height {
            for x in 0..<extent.width {
                for output in 0..<4 {
                    let expected = sum(pixel, input, channels: 6, weight, output: output, at: first(y, x))
                    let value = Double(values[(y * extent.width + x) * 4 + output])
                    #expect(
                        abs(value - expected - Double(bias.values[output])) < 1e-4,
                        "\(sampling) \(y) \(x)"
                    )
                }
            }
        }
    }

    @Test func `stride 1 keeps the extent`() {
        let x = random.x.values
        expect(
            .same,
            extent: (5, 7),
            input: (5, 7),
            { x[($0 * 7 + $1) * 6 + $2] },
            first: { ($0 - 1, $1 - 1) }
        )
    }

    @Test func `stride 2 is padded at the end alone`() {
        let x = random.x.values
        expect(
            .halving,
            extent: (2, 3),
            input: (5, 7),
            { x[($0 * 7 + $1) * 6 + $2] },
            first: { (2 * $0, 2 * $1) }
        )
    }

    @Test func `doubling is stride 1 over repeated pixels`() {
        let x = random.x.values
        expect(
            .doubling,
            extent: (10, 14),
            input: (10, 14),
            { x[($0 / 2 * 7 + $1 / 2) * 6 + $2] },
            first: { ($0 - 1, $1 - 1) }
        )
    }

    @Test func `a norm before and a sum behind are those of separate operations`() {
        let tape = Tape()
        let (weight, bias) = (randomTensor([6], seed: 4), randomTensor([6], seed: 5))
        let x = random.x.adding(Tensor(repeating: 3, shape: [5, 7, 6]))
        let norm = tape.channelNormalization(
            of: x,
            groups: 3,
            weight: weight,
            bias: bias,
            epsilon: 1e-6,
            activates: true
        )
        let convolution = PictureConvolution(weight: random.weight, bias: self.bias)
        let before = randomTensor([5, 7, 4], seed: 6)
        let found = tape.convolve(x, convolution, norm: norm, addingTo: before.copied())

        let normalized = tape.groupNorm(
            Variable(constant: x.reshaped([1, 35, 6])),
            groups: 3,
            weight: Parameter(frozen: weight),
            bias: Parameter(frozen: bias),
            epsilon: 1e-6
        )
        let activated = tape.activation(.silu, normalized).value.reshaped([5, 7, 6])
        let expected = tape.convolve(activated, convolution).adding(before)
        #expect(relativeError(found, expected) < 1e-6)
    }

    @Test func `lanes that share a picture make the same numbers`() {
        let x = randomTensor([96, 64, 32], seed: 7)
        let convolution = PictureConvolution(
            weight: randomTensor([32, 32, 3, 3], seed: 8),
            bias: randomTensor([32], seed: 9),
            sampling: .doubling
        )
        func compute(lanes: Int) -> [Float] {
            var values: [Float] = []
            LanePool(count: lanes).forEachShare(of: 1) { lane, _ in
                let norm = lane.tape.channelNormalization(
                    of: x,
                    groups: 4,
                    weight: Tensor(repeating: 1, shape: [32]),
                    bias: .zeros([32]),
                    epsilon: 1e-6,
                    activates: false
                )
                values = lane.tape.convolve(x, convolution, norm: norm).values
            }
            return values
        }
        #expect(compute(lanes: 1) == compute(lanes: 3))
    }

    @Test func `attention of one head over many tokens is the same in parts`() {
        let streams = (0..<3).map { Variable(constant: randomTensor([1, 2100, 16], seed: UInt64(20 + $0))) }
        func compute(tokens: Int) -> Tensor {
            let queries = Variable(
                constant: streams[0].value.reshaped([2100, 16]).rows(0..<tokens).reshaped([1, tokens, 16])
            )
            return Tape().attention(queries: [queries], keys: [streams[1]], values: [streams[2]], heads: 1)[0]
                .value
        }
        // Few queries are not worth parts.
        let part = compute(tokens: 960)
        let whole = compute(tokens: 2100).reshaped([2100, 16]).rows(0..<960)
        #expect(part.reshaped([960, 16]).largestAbsoluteDifference(to: whole) == 0)
    }
}
