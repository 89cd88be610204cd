import CKernels
import Glibc

extension Tape {
    /// Rows of a table by index: y[i] = table[indices[i]].
    ///
    /// - Parameters:
    ///   - table: `[rows, width]`.
    ///   - indices: each in `0 ..< rows`.
    /// - Returns: `[indices.count, width]`.
    package func gather(_ table: Variable, _ indices: [Int]) -> Variable {
        let width = table.shape.dropFirst().reduce(1, *)
        precondition(
            indices.allSatisfy { (0..<table.shape[0]).contains($0) },
            "indices lie in 0 ..< \(table.shape[0]), got \(indices)"
        )
        let places = indices.map(Int32.init)
        let y = arena.allocate([indices.count, width])
        unsafe fs_gather_rows(table.value.pointer, places, y.pointer, indices.count, width)
        let result = output(y, of: table)
        if result.isTracked { record(GatherOperation(table: table, indices: places, y: result)) }
        return result
    }
}

private struct GatherOperation: Operation {
    let table: Variable
    let indices: [Int32]
    let y: Variable

    func backward(on tape: Tape) {
        guard let dy = tape.finishedGradient(of: y), let dt = tape.accumulator(for: table) else { return }
        unsafe fs_scatter_add_rows(dy.pointer, indices, dt.pointer, indices.count, y.shape[1])
    }
}

extension Tensor {
    /// Sinusoids of a time, cosines first: diffusers' `Timesteps(flip_sin_to_cos=True, downscale_freq_shift=0)`.
    ///
    /// - Parameters:
    ///   - times: one a sample, in the network's units (1000 σ).
    ///   - width: even number of features; frequencies fall from 1 to 1/10000.
    /// - Returns: `[times.count, width]`.
    package static func timeEmbedding(_ times: [Float], width: Int) -> Tensor {
        precondition(width % 2 == 0, "an even number of features, got \(width)")
        let half = width / 2
        // In 32-bit arithmetic, as the networks were trained.
        let frequencies = (0..<half).map { exp(-log(Float(10000)) * Float($0) / Float(half)) }
        var values: [Float] = []
        values.reserveCapacity(times.count * width)
        for (index, time) in times.enumerated() {
            // Samples of one solve stand at one time.
            if index > 0, time == times[index - 1] {
                values += values[(values.count - width)...]
            } else {
                values += frequencies.map { cos(time * $0) }
                values += frequencies.map { sin(time * $0) }
            }
        }
        return Tensor(values, shape: [times.count, width])
    }
}
