import CKernels

/// Columns of a `[samples, chunks · width]` tensor that condition a layer (AdaLN, Peebles & Xie 2023).
package struct Modulation {
    let variable: Variable
    let width: Int

    /// - Parameter variable: `[samples, chunks · width]`.
    package init(_ variable: Variable, width: Int) {
        precondition(
            variable.shape.count == 2 && variable.shape[1] % width == 0,
            "chunks of \(width) in shape \(variable.shape)"
        )
        self.variable = variable
        self.width = width
    }

    var stride: Int { variable.shape[1] }
    var samples: Int { variable.shape[0] }

    /// Where a chunk of a sample starts in the modulation, or in `gradient`.
    func chunk(
        _ index: Int,
        of gradient: Tensor? = nil,
        sample: Int
    ) -> UnsafeMutablePointer<Float> {
        unsafe (gradient ?? variable.value).pointer + (sample * stride + index * width)
    }
}

extension Tape {
    /// y = (x − mean)/√(variance + ε) · (1 + scale) + shift, shift and scale one row a sample.
    ///
    /// - Parameters:
    ///   - x: `[samples · tokens, width]` or any shape of that many elements ending in `width`.
    ///   - shift: index of the chunk of `modulation` that is added.
    ///   - scale: index of the chunk that multiplies.
    package func layerNorm(
        _ x: Variable,
        modulation: Modulation,
        shift: Int,
        scale: Int,
        epsilon: Float = 1e-6
    ) -> Variable {
        layerNorm(x, condition: (modulation, shift, scale), epsilon: epsilon)
    }

    /// y = (x − mean)/√(variance + ε), without parameters.
    package func layerNorm(_ x: Variable, epsilon: Float = 1e-6) -> Variable {
        layerNorm(x, condition: nil, epsilon: epsilon)
    }

    private func layerNorm(
        _ x: Variable,
        condition: (modulation: Modulation, shift: Int, scale: Int)?,
        epsilon: Float
    ) -> Variable {
        let width = x.shape.last ?? 1
        let rows = x.value.count / width
        let y = allocate(x.shape)
        let mean = allocate([rows])
        let inverse = allocate([rows])
        let samples = condition?.modulation.samples ?? 1
        precondition(
            rows % samples == 0 && condition.map { $0.modulation.width == width } ?? true,
            "\(samples) conditions for rows of shape \(x.shape)"
        )
        shareRows(rows, perSample: rows / samples, width: width) { range, sample in
            let first = range.lowerBound
            unsafe fs_layer_norm_modulate_forward(
                x.value.pointer + first * width,
                condition.map { unsafe $0.modulation.chunk($0.shift, sample: sample) },
                condition.map { unsafe $0.modulation.chunk($0.scale, sample: sample) },
                condition?.modulation.stride ?? 0,
                y.pointer + first * width,
                mean.pointer + first,
                inverse.pointer + first,
                range.count,
                width,
                rows / samples,
                epsilon
            )
        }
        let result = output(y, of: x, condition?.modulation.variable)
        if result.isTracked {
            record(
                LayerNormOperation(
                    x: x,
                    modulation: condition?.modulation,
                    shift: condition?.shift ?? 0,
                    scale: condition?.scale ?? 0,
                    mean: mean,
                    inverse: inverse,
                    y: result
                )
            )
        }
        return result
    }

    /// Layer norm with a learned weight and bias of `[width]`, as in CLIP.
    package func layerNorm(
        _ x: Variable,
        weight: Parameter,
        bias: Parameter,
        epsilon: Float = 1e-5
    ) -> Variable {
        let width = weight.value.count
        let rows = x.value.count / width
        let w = parameter(weight)
        let b = parameter(bias)
        let y = allocate(x.shape)
        let mean = allocate([rows])
        let inverse = allocate([rows])
        unsafe fs_layer_norm_affine_forward(
            x.value.pointer,
            w.value.pointer,
            b.value.pointer,
            y.pointer,
            mean.pointer,
            inverse.pointer,
            rows,
            width,
            epsilon
        )
        let result = output(y, of: x, w, b)
        if result.isTracked {
            record(
                AffineLayerNormOperation(x: x, weight: w, bias: b, mean: mean, inverse: inverse, y: result)
            )
        }
        return result
    }
}

private struct LayerNormOperation: Operation {
    let x: Variable
    let modulation: Modulation?
    let shift: Int
    let scale: Int
    let mean: Tensor
    let inverse: Tensor
    let y: Variable

    func backward(on tape: Tape) {
        guard let dy = tape.finishedGradient(of: y) else { return }
        let width = x.shape.last ?? 1
        let rows = x.value.count / width
        let dx = tape.accumulator(for: x)
        let dm = tape.accumulator(for: modulation?.variable)
        let samples = modulation?.samples ?? 1
        tape.shareRows(rows, perSample: rows / samples, width: width, splitsSample: dm == nil) {
            range,
            sample in
            let first = range.lowerBound
            unsafe fs_layer_norm_modulate_backward(
                x.value.pointer + first * width,
                modulation.map { unsafe $0.chunk(scale, sample: sample) },
                modulation?.stride ?? 0,
                mean.pointer + first,
                inverse.pointer + first,
                dy.pointer + first * width,
                dx.map { unsafe $0.pointer + first * width },
                dm.flatMap { dm in unsafe modulation?.chunk(shift, of: dm, sample: sample) },
                dm.flatMap { dm in unsafe modulation?.chunk(scale, of: dm, sample: sample) },
                range.count,
                width,
                rows / samples
            )
        }
    }
}

private struct AffineLayerNormOperation: Operation {
    let x: Variable
    let weight: Variable
    let bias: Variable
    let mean: Tensor
    let inverse: Tensor
    let y: Variable

    func backward(on tape: Tape) {
        guard let dy = tape.finishedGradient(of: y) else { return }
        let width = weight.value.count
        let dx = tape.accumulator(for: x)
        let dw = tape.accumulator(for: weight)
        let db = tape.accumulator(for: bias)
        unsafe fs_layer_norm_affine_backward(
            x.value.pointer,
            weight.value.pointer,
            mean.pointer,
            inverse.pointer,
            dy.pointer,
            dx?.pointer,
            dw?.pointer,
            db?.pointer,
            x.value.count / width,
            width
        )
    }
}
