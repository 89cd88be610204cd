import Tensors
import TestSupport
import Testing

/// Gradients of parameters, which a tape adds to their set's flat memory, against central differences.
@Suite struct ParameterGradientTests {
    @Test func `a linear map with an adapter pulls gradients back to all of its parameters`() {
        let x = randomTensor([7, 5], seed: 1)
        expectGradients([[4, 5], [4], [3, 5], [4, 3]], of: x) { tape, x, p in
            tape.linear(
                x,
                weight: p[0],
                bias: p[1],
                adapter: LowRankAdapter(down: p[2], up: p[3], scale: 0.5)
            )
        }
    }

    @Test func `an affine layer norm pulls gradients back to weight and bias`() {
        expectGradients([[9], [9]], of: randomTensor([6, 9], seed: 2)) { tape, x, p in
            tape.layerNorm(x, weight: p[0], bias: p[1])
        }
    }

    @Test func `a root mean square norm pulls gradients back to every head and the weight`() {
        expectGradients([[4]], of: randomTensor([3, 12], seed: 3)) { tape, x, p in
            tape.rmsNorm(x, weight: p[0])
        }
    }

    @Test func `a group norm pulls gradients back`() {
        expectGradients([[6], [6]], of: randomTensor([2, 5, 6], seed: 4)) { tape, x, p in
            tape.groupNorm(x, groups: 3, weight: p[0], bias: p[1])
        }
    }

    @Test func `a convolution pulls gradients back`() {
        expectGradients([[4, 3, 3, 2], [4]], of: randomTensor([2, 4, 5, 2], seed: 5)) { tape, x, p in
            tape.convolution(x, weight: p[0], bias: p[1])
        }
    }

    @Test func `a parameter used twice gets both gradients`() {
        expectGradients([[5, 5]], of: randomTensor([3, 5], seed: 6)) { tape, x, p in
            tape.linear(tape.linear(x, weight: p[0]), weight: p[0])
        }
    }

    @Test func `parameters of another set are constants`() {
        let set = ParameterGradients(set: 1, count: 4)
        let tape = Tape()
        tape.beginStep(differentiating: set)
        let foreign = Parameter(randomTensor([2, 2], seed: 7), at: ParameterPlace(set: 2, offset: 0))
        let own = Parameter(randomTensor([2, 2], seed: 8), at: ParameterPlace(set: 1, offset: 0))
        #expect(!tape.parameter(foreign).isTracked)
        #expect(tape.parameter(own).isTracked)
    }

    /// Checks the flat gradient of parameters of these shapes along random directions.
    private func expectGradients(
        _ shapes: [[Int]],
        of x: Tensor,
        sourceLocation: SourceLocation = #_sourceLocation,
        _ function: (Tape, Variable, [Parameter]) -> Variable
    ) {
        let count = shapes.reduce(0) { $0 + $1.reduce(1, *) }
        let flat = randomTensor([count], seed: 77, scale: 0.7)
        func parameters(_ flat: Tensor) -> [Parameter] {
            var offset = 0
            return shapes.map { shape in
                let range = offset..<offset + shape.reduce(1, *)
                defer { offset = range.upperBound }
                return Parameter(
                    flat.rows(range).reshaped(shape),
                    at: ParameterPlace(set: 3, offset: range.lowerBound)
                )
            }
        }
        let tape = Tape()
        let target = randomTensor([1], seed: 78)
        func loss(_ flat: Tensor, on tape: Tape) -> Variable {
            let y = function(tape, tape.variable(x), parameters(flat))
            let goal = Tensor(repeating: target.values[0], shape: y.shape)
            return tape.squaredError(y, target: goal, scale: 0.5)
        }
        let gradients = ParameterGradients(set: 3, count: count)
        tape.beginStep(differentiating: gradients)
        tape.backward(from: loss(flat, on: tape))
        let size = gradients.flat.sumOfSquares.squareRoot()
        #expect(size > 0.01, sourceLocation: sourceLocation)
        for trial in 0..<4 {
            let direction = randomTensor([count], seed: UInt64(80 + trial))
            let slope = zip(gradients.flat.values, direction.values).reduce(0) { $0 + Double($1.0 * $1.1) }
            tape.reset()
            let above = Double(loss(flat.adding(direction, scaledBy: 5e-3), on: tape).value.scalar)
            let below = Double(loss(flat.adding(direction, scaledBy: -5e-3), on: tape).value.scalar)
            let difference = (above - below) / 1e-2
            #expect(
                abs(slope - difference) <= 1e-2 * size,
                "direction \(trial): slope \(slope), difference \(difference), size \(size)",
                sourceLocation: sourceLocation
            )
        }
    }
}
