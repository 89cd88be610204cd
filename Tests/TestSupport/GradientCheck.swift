package import Tensors
package import Testing

/// Random tensors of a test, the same at every run.
package func randomTensor(_ shape: [Int], seed: UInt64, scale: Float = 1) -> Tensor {
    var stream = RandomStream(key: 0x7465_7374, stream: seed)
    return stream.normal(shape).scaled(by: scale)
}

/// ‖a − b‖ / ‖b‖.
package func relativeError(_ a: Tensor, _ b: Tensor) -> Double {
    (a.squaredDistance(to: b) / max(b.sumOfSquares, 1e-30)).squareRoot()
}

/// Compares gradients of Σ weight · output with central differences along random directions of every input.
///
/// - Parameters:
///   - inputs: leaves of the function.
///   - step: half the distance of the two evaluations.
///   - tolerance: of the slope, relative to the length of the gradient along the direction.
///   - function: an operation on the tape, from its leaves to one output.
package func expectGradients(
    of inputs: [Tensor],
    step: Float = 1e-2,
    tolerance: Double = 1e-2,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ function: (Tape, [Variable]) -> Variable
) {
    let tape = Tape()
    var weights: Tensor?
    func evaluate(_ values: [Tensor]) -> Double {
        tape.reset()
        let y = function(tape, values.map(Variable.init(constant:)))
        let w = weights ?? randomTensor(y.shape, seed: 99)
        weights = w
        return product(w, y.value)
    }
    _ = evaluate(inputs)
    tape.beginStep()
    let leaves = inputs.map(tape.variable)
    let y = function(tape, leaves)
    guard let weights else { return }
    // Σ w · y as a difference of squares, so that only operations under test and losses are needed.
    let shifted = tape.squaredError(y, target: weights.scaled(by: -1), scale: 0.25)
    let other = tape.squaredError(y, target: weights, scale: -0.25)
    tape.backward(from: tape.weightedSum([(1, shifted), (1, other)]))
    let gradients = leaves.map { tape.gradient(of: $0).copied() }
    for (index, gradient) in gradients.enumerated() {
        #expect(gradient.isFinite, "gradient \(index)", sourceLocation: sourceLocation)
        for trial in 0..<3 {
            let direction = randomTensor(inputs[index].shape, seed: UInt64(1000 + 10 * index + trial))
            let slope = product(gradient, direction)
            var values = inputs
            values[index] = inputs[index].adding(direction, scaledBy: step)
            let above = evaluate(values)
            values[index] = inputs[index].adding(direction, scaledBy: -step)
            let below = evaluate(values)
            let difference = (above - below) / (2 * Double(step))
            let size = gradient.sumOfSquares.squareRoot() + 1e-3
            #expect(
                abs(slope - difference) <= tolerance * size,
                "input \(index), direction \(trial): slope \(slope), difference \(difference), size \(size)",
                sourceLocation: sourceLocation
            )
        }
    }
}

/// Σ a · b.
private func product(_ a: Tensor, _ b: Tensor) -> Double {
    zip(a.values, b.values).reduce(0) { $0 + Double($1.0) * Double($1.1) }
}
