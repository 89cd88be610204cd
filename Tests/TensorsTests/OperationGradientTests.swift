import Tensors
import TestSupport
import Testing

/// Every operation's backward against central differences.
@Suite struct OperationGradientTests {
    @Test func `activations pull gradients back`() {
        for kind in [Activation.geluTanh, .gelu, .quickGELU, .silu] {
            expectGradients(of: [randomTensor([5, 7], seed: 1)]) { tape, x in tape.activation(kind, x[0]) }
        }
    }

    @Test func `a leaky ReLU pulls gradients back away from its kink`() {
        let x = Tensor(randomTensor([40], seed: 2).values.map { abs($0) < 0.2 ? $0 + 0.5 : $0 }, shape: [40])
        expectGradients(of: [x], step: 1e-3) { tape, x in tape.activation(.leakyReLU, x[0]) }
        expectGradients(of: [x], step: 1e-3) { tape, x in tape.activation(.relu, x[0]) }
    }

    @Test func `a layer norm without parameters pulls gradients back`() {
        expectGradients(of: [randomTensor([6, 33], seed: 3)]) { tape, x in tape.layerNorm(x[0]) }
    }

    @Test func `columns side by side pull gradients back to each part, also to one that is there twice`() {
        expectGradients(of: [randomTensor([2, 3, 4], seed: 60), randomTensor([2, 3, 5], seed: 61)]) {
            tape,
            x in
            tape.joinColumns([x[0], x[1], x[0]])
        }
    }

    @Test func `a modulated layer norm pulls gradients back to tokens, shift and scale`() {
        expectGradients(of: [randomTensor([2, 3, 8], seed: 4), randomTensor([2, 24], seed: 5)]) { tape, x in
            tape.layerNorm(x[0], modulation: Modulation(x[1], width: 8), shift: 2, scale: 0)
        }
    }

    @Test func `a gated residual pulls gradients back to both branches and the gate`() {
        let inputs = [[2, 3, 8], [2, 3, 8], [2, 16]].enumerated().map {
            randomTensor($1, seed: UInt64($0 + 6))
        }
        expectGradients(of: inputs) { tape, x in
            tape.gatedResidual(x[0], x[1], modulation: Modulation(x[2], width: 8), gate: 1)
        }
    }

    @Test func `a sum gives both terms the gradient, also when they are one variable`() {
        expectGradients(of: [randomTensor([3, 4], seed: 9), randomTensor([3, 4], seed: 10)]) { tape, x in
            tape.add(tape.add(x[0], x[1]), x[0])
        }
    }

    @Test func `rows and shapes pass gradients on`() {
        let table = randomTensor([3, 4], seed: 11)
        expectGradients(of: [randomTensor([2, 3, 4], seed: 12)]) { tape, x in
            tape.reshape(tape.addRows(x[0], table: table), [6, 4])
        }
    }

    @Test func `joint attention of two streams pulls gradients back to all six projections`() {
        let shapes = [[2, 5, 8], [2, 3, 8], [2, 5, 8], [2, 3, 8], [2, 5, 8], [2, 3, 8]]
        let inputs = shapes.enumerated().map { randomTensor($1, seed: UInt64(20 + $0)) }
        for stream in 0..<2 {
            expectGradients(of: inputs) { tape, x in
                tape.attention(
                    queries: [x[0], x[1]],
                    keys: [x[2], x[3]],
                    values: [x[4], x[5]],
                    heads: 2
                )[stream]
            }
        }
    }

    @Test func `attention with queries of one stream only reads the other stream's keys`() {
        let shapes = [[1, 4, 6], [1, 4, 6], [1, 2, 6], [1, 4, 6], [1, 2, 6]]
        let inputs = shapes.enumerated().map { randomTensor($1, seed: UInt64(30 + $0)) }
        expectGradients(of: inputs) { tape, x in
            tape.attention(queries: [x[0]], keys: [x[1], x[2]], values: [x[3], x[4]], heads: 3)[0]
        }
    }

    @Test func `causal attention pulls gradients back`() {
        let inputs = (0..<3).map { randomTensor([2, 6, 8], seed: UInt64(40 + $0)) }
        expectGradients(of: inputs) { tape, x in
            tape.attention(queries: [x[0]], keys: [x[1]], values: [x[2]], heads: 2, isCausal: true)[0]
        }
    }

    @Test func `attention with a bias for every distance and a scale of its own pulls gradients back`() {
        let inputs = (0..<3).map { randomTensor([2, 6, 8], seed: UInt64(44 + $0)) }
        let bias = randomTensor([2, 11], seed: 47)
        expectGradients(of: inputs) { tape, x in
            tape.attention(
                queries: [x[0]],
                keys: [x[1]],
                values: [x[2]],
                heads: 2,
                scale: 0.7,
                positionBias: bias
            )[0]
        }
    }

    @Test func `products element by element pull gradients back to both factors`() {
        let inputs = [randomTensor([3, 5], seed: 48), randomTensor([3, 5], seed: 49)]
        expectGradients(of: inputs) { tape, x in tape.elementProduct(x[0], x[1]) }
        expectGradients(of: [inputs[0]]) { tape, x in tape.elementProduct(x[0], x[0]) }
    }

    @Test func `patches are cut out and put together with gradients`() {
        expectGradients(of: [randomTensor([2, 3, 4, 6], seed: 50)]) { tape, x in
            tape.patchify(x[0], patch: 2)
        }
        expectGradients(of: [randomTensor([2, 6, 12], seed: 51)]) { tape, x in
            tape.unpatchify(x[0], patch: 2, to: [2, 3, 4, 6])
        }
    }

    @Test func `gathered rows add up their gradients`() {
        expectGradients(of: [randomTensor([5, 3], seed: 52)]) { tape, x in tape.gather(x[0], [4, 0, 4, 2]) }
    }

    @Test func `losses pull gradients back`() {
        let target = randomTensor([4, 3], seed: 53)
        expectGradients(of: [randomTensor([4, 3], seed: 54)]) { tape, x in
            tape.squaredError(x[0], target: target, scale: 0.3)
        }
        expectGradients(of: [randomTensor([4, 3], seed: 55)]) { tape, x in tape.sum(x[0], scale: -0.2) }
        for sign in [Float(1), -1] {
            expectGradients(of: [Tensor([-2, -1.5, -0.5, 0.5, 1.5, 2], shape: [6])], step: 1e-3) { tape, x in
                tape.hinge(x[0], sign: sign, scale: 0.5)
            }
        }
    }

    @Test func `a step of its own length for every sample pulls gradients back`() {
        let base = randomTensor([2, 3], seed: 56)
        expectGradients(of: [randomTensor([2, 3], seed: 57)]) { tape, x in
            tape.step(from: base, by: [-0.1, 2], along: x[0])
        }
    }

    @Test(arguments: [
        LogitLoss.softplus(sign: 1), .softplus(sign: -1), .sigmoidDistance(target: 0),
        .sigmoidDistance(target: 1),
    ])
    func `a loss of logits pulls gradients back`(kind: LogitLoss) {
        expectGradients(of: [randomTensor([3, 5], seed: 40)], step: 1e-3) { tape, x in
            tape.logitLoss(kind, x[0], scale: 0.3)
        }
    }

    @Test func `a pseudo-Huber distance pulls gradients back`() {
        let target = randomTensor([4, 6], seed: 41)
        expectGradients(of: [randomTensor([4, 6], seed: 42)], step: 1e-3) { tape, x in
            tape.pseudoHuber(x[0], target: target, edge: 0.5, scale: 0.3)
        }
    }

    @Test func `clipping brings numbers within bounds`() {
        let tensor = Tensor([-3, -0.5, 0, 0.5, 3], shape: [5])
        tensor.clip(to: 1)
        #expect(tensor.values == [-1, -0.5, 0, 0.5, 1])
    }
}
