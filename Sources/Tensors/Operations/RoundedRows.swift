import CKernels

/// Rows rounded to bfloat16 once, for products that would each round them: what layer norms and linear maps hand on
/// when nothing is recorded.
package struct RoundedRows {
    /// Of the numbers, `[…, width]`.
    package let shape: [Int]
    /// Two numbers to an element, the lower half first, and 0 behind an odd last one: `[rows, (width + 1) / 2]`.
    let pairs: Tensor

    fileprivate var width: Int { shape.last ?? 1 }
    var stride: Int { pairs.shape[1] }
    fileprivate var pointer: UnsafeMutablePointer<UInt32> {
        unsafe UnsafeMutableRawPointer(pairs.pointer).assumingMemoryBound(to: UInt32.self)
    }
}

/// What a linear map reads.
package enum MapInput {
    case floats(Variable)
    case rounded(RoundedRows)
}

/// What a residual adds to its stream.
package enum Branch {
    case floats(Variable)
    /// What a map, which ``Tape/readsRounded(_:)``, makes of rounded rows; computed where it is added.
    case mapped(RoundedRows, weight: Parameter, bias: Parameter?)
}

extension Tape {
    /// Whether maps of a weight may read ``RoundedRows``: their products round what they read, and no way back needs
    /// what was rounded.
    package func readsRounded(_ weight: Parameter) -> Bool { !isRecording && weight.precision.roundsFactors }

    /// As ``layerNorm(_:modulation:shift:scale:epsilon:)``, for products alone.
    ///
    /// - Parameter rounding: all that read the result may read it rounded (``readsRounded(_:)``).
    package func layerNorm(
        _ x: Variable,
        modulation: Modulation,
        shift: Int,
        scale: Int,
        epsilon: Float = 1e-6,
        rounding: Bool
    ) -> MapInput {
        guard rounding else {
            return .floats(layerNorm(x, modulation: modulation, shift: shift, scale: scale, epsilon: epsilon))
        }
        let width = modulation.width
        let rows = x.value.count / width
        precondition(
            x.shape.last == width && rows % modulation.samples == 0,
            "\(modulation.samples) conditions of \(width) for rows of shape \(x.shape)"
        )
        let y = allocateRounded(x.shape)
        let perSample = rows / modulation.samples
        shareRows(rows, perSample: perSample, width: width) { range, sample in
            unsafe fs_layer_norm_modulate_pairs(
                InstructionSet.best,
                x.value.pointer + range.lowerBound * width,
                modulation.chunk(shift, sample: sample),
                modulation.chunk(scale, sample: sample),
                modulation.stride,
                y.pointer + range.lowerBound * y.stride,
                range.count,
                width,
                perSample,
                epsilon
            )
        }
        return .rounded(y)
    }

    /// y = x · Wᵀ + b.
    ///
    /// - Parameters:
    ///   - x: `[…, I]`.
    ///   - weight: `[O, I]`, which ``readsRounded(_:)``.
    ///   - bias: `[O]`.
    ///   - consuming: `x` is not read again.
    /// - Returns: `[…, O]`.
    package func linear(
        _ x: RoundedRows,
        weight: Parameter,
        bias: Parameter? = nil,
        consuming: Bool = false
    ) -> Variable {
        let y = allocate(x.shape.dropLast() + [weight.shape[0]])
        unsafe multiply(x, weight, bias, into: y.pointer, stride: weight.shape[0])
        if consuming { retire(x.pairs) }
        return Variable(constant: y)
    }

    /// y = f(x · Wᵀ + b) with GELU's tanh form as f, as above.
    package func linearThroughGELU(
        _ x: RoundedRows,
        weight: Parameter,
        bias: Parameter? = nil,
        consuming: Bool = false
    ) -> RoundedRows {
        let y = allocateRounded(x.shape.dropLast() + [weight.shape[0]])
        unsafe multiply(x, weight, bias, into: y.pairs.pointer, stride: y.stride, throughGELU: true)
        if consuming { retire(x.pairs) }
        return y
    }

    /// y = x + gate · (branch · Wᵀ + b), added as it leaves the product; takes the memory of `x`.
    ///
    /// ``gatedResidual(_:_:modulation:gate:consuming:)`` of what a map makes of rounded rows.
    func gatedResidual(
        _ x: Variable,
        _ branch: RoundedRows,
        weight: Parameter,
        bias: Parameter?,
        modulation: Modulation,
        gate: Int
    ) -> Variable {
        let width = modulation.width
        let rows = x.value.count / width
        precondition(
            x.shape.last == width && weight.shape[0] == width && branch.pairs.shape[0] == rows
                && rows % modulation.samples == 0,
            "a map of \(weight.shape) from \(branch.shape) beside \(x.shape) of \(modulation.samples) samples"
        )
        unsafe multiply(
            branch,
            weight,
            bias,
            into: x.value.pointer,
            stride: width,
            gates: ProductGates(
                modulation.chunk(gate, sample: 0),
                stride: modulation.stride,
                rowsPerGate: rows / modulation.samples
            )
        )
        retire(branch.pairs)
        return x
    }

    private func multiply(
        _ x: RoundedRows,
        _ weight: Parameter,
        _ bias: Parameter?,
        into y: UnsafeMutablePointer<Float>,
        stride: Int,
        gates: ProductGates? = nil,
        throughGELU: Bool = false
    ) {
        let inputs = weight.shape.dropFirst().reduce(1, *)
        precondition(
            readsRounded(weight) && x.width == inputs,
            "a map of \(inputs) inputs in \(weight.precision) got rounded rows of shape \(x.shape)"
        )
        unsafe multiply(
            Matrix(.pairs(UnsafePointer(x.pointer)), stride: x.stride, transposed: false),
            weight.matrix(transposed: true),
            into: y,
            stride: stride,
            ProductShape(m: x.pairs.shape[0], n: weight.shape[0], k: inputs),
            bias: bias.map { unsafe UnsafePointer($0.value.pointer) },
            adding: gates != nil,
            gates: gates,
            throughGELU: throughGELU
        )
    }

    func allocateRounded(_ shape: [Int]) -> RoundedRows {
        let width = shape.last ?? 1
        return RoundedRows(
            shape: shape,
            pairs: allocate([shape.dropLast().reduce(1, *), (width + 1) / 2])
        )
    }
}
