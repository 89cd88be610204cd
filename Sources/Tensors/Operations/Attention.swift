import CKernels

extension Tape {
    /// Scaled dot-product attention over the tokens of one or several streams joined (SD3's joint attention,
    /// Esser and others 2024, §4; Vaswani and others 2017, equation 1).
    ///
    /// Shape letters: `B` samples, `T` tokens of all streams, `H` heads, `D` head width. The tokens of a sample
    /// in different streams attend to each other. Score matrices are made for one head at a time and made anew
    /// in the backward pass, so memory does not grow with B · H · T².
    /// - Parameters:
    ///   - queries: a `[B, tokens, H · D]` for each of the first streams; as many outputs are made.
    ///   - keys: a `[B, tokens, H · D]` for every stream, as are `values`.
    ///   - isCausal: a token sees itself and earlier ones only (one stream).
    /// - Returns: one `[B, tokens, H · D]` for each query stream.
    package func attention(
        queries: [Variable],
        keys: [Variable],
        values: [Variable],
        heads: Int,
        isCausal: Bool = false
    ) -> [Variable] {
        let shapes = AttentionShapes(queries: queries, keys: keys, values: values, heads: heads)
        let outputs = queries.map { arena.allocate($0.shape) }
        let mark = arena.mark
        let block = AttentionBlock(shapes: shapes, arena: arena, isCausal: isCausal)
        for sample in 0..<shapes.samples {
            for head in 0..<heads {
                block.load(queries: queries, keys: keys, values: values, sample: sample, head: head)
                block.computeProbabilities()
                unsafe multiply(
                    Matrix(block.probabilities.pointer, stride: shapes.keyTokens),
                    Matrix(block.values.pointer, stride: shapes.width),
                    into: block.queries.pointer,
                    stride: shapes.width,
                    m: shapes.queryTokens,
                    n: shapes.width,
                    k: shapes.keyTokens
                )
                unsafe block.forEach(outputs, sample: sample, head: head) { target, stride, row, rows in
                    unsafe fs_copy_strided(
                        block.queries.pointer + row * shapes.width,
                        shapes.width,
                        target,
                        stride,
                        rows,
                        shapes.width
                    )
                }
            }
        }
        arena.release(to: mark)
        let inputs = queries + keys + values
        guard isRecording, inputs.contains(where: \.isTracked) else {
            return outputs.map(Variable.init(constant:))
        }
        let results = outputs.map(track)
        record(
            AttentionOperation(
                queries: queries,
                keys: keys,
                values: values,
                outputs: results,
                shapes: shapes,
                isCausal: isCausal
            )
        )
        return results
    }
}

private struct AttentionShapes {
    let samples: Int
    let heads: Int
    let width: Int
    let queryTokens: Int
    let keyTokens: Int

    init(queries: [Variable], keys: [Variable], values: [Variable], heads: Int) {
        precondition(
            !queries.isEmpty && queries.count <= keys.count && keys.count == values.count,
            "\(queries.count) query, \(keys.count) key and \(values.count) value streams"
        )
        let features = keys[0].shape[2]
        precondition(
            (queries + keys + values).allSatisfy { $0.shape.count == 3 && $0.shape[2] == features }
                && features % heads == 0,
            "streams of [samples, tokens, \(features)] with \(heads) heads"
        )
        samples = keys[0].shape[0]
        self.heads = heads
        width = features / heads
        queryTokens = queries.reduce(0) { $0 + $1.shape[1] }
        keyTokens = keys.reduce(0) { $0 + $1.shape[1] }
    }
}

/// One head of one sample, packed: the streams' tokens under one another.
private struct AttentionBlock {
    let shapes: AttentionShapes
    let isCausal: Bool
    /// `[query tokens, D]`.
    let queries: Tensor
    /// `[key tokens, D]`.
    let keys: Tensor
    let values: Tensor
    /// `[query tokens, key tokens]`.
    let probabilities: Tensor

    init(shapes: AttentionShapes, arena: Arena, isCausal: Bool) {
        self.shapes = shapes
        self.isCausal = isCausal
        queries = arena.allocate([shapes.queryTokens, shapes.width])
        keys = arena.allocate([shapes.keyTokens, shapes.width])
        values = arena.allocate([shapes.keyTokens, shapes.width])
        probabilities = arena.allocate([shapes.queryTokens, shapes.keyTokens])
    }

    func load(queries q: [Variable], keys k: [Variable], values v: [Variable], sample: Int, head: Int) {
        for (block, streams) in [(queries, q), (keys, k), (values, v)] {
            load(block, from: streams.map(\.value), sample: sample, head: head)
        }
    }

    func load(_ block: Tensor, from streams: [Tensor], sample: Int, head: Int) {
        unsafe forEach(streams, sample: sample, head: head) { source, stride, row, rows in
            unsafe fs_copy_strided(
                source,
                stride,
                block.pointer + row * shapes.width,
                shapes.width,
                rows,
                shapes.width
            )
        }
    }

    /// P = softmax(Q · Kᵀ / √D).
    func computeProbabilities() {
        unsafe multiply(
            Matrix(queries.pointer, stride: shapes.width),
            Matrix(keys.pointer, stride: shapes.width, transposed: true),
            into: probabilities.pointer,
            stride: shapes.keyTokens,
            m: shapes.queryTokens,
            n: shapes.keyTokens,
            k: shapes.width
        )
        unsafe fs_softmax_forward(
            probabilities.pointer,
            shapes.queryTokens,
            shapes.keyTokens,
            scale,
            isCausal ? 1 : 0
        )
    }

    var scale: Float { 1 / Float(shapes.width).squareRoot() }

    /// Calls `body` with a head's place in each stream, its row stride, its first packed row and its rows.
    func forEach(
        _ streams: [Tensor],
        sample: Int,
        head: Int,
        _ body: (UnsafeMutablePointer<Float>, Int, Int, Int) -> Void
    ) {
        let stride = shapes.heads * shapes.width
        var row = 0
        for stream in streams {
            let tokens = stream.shape[1]
            unsafe body(
                stream.pointer + (sample * tokens * stride + head * shapes.width),
                stride,
                row,
                tokens
            )
            row += tokens
        }
    }
}

private struct AttentionOperation: Operation {
    let queries: [Variable]
    let keys: [Variable]
    let values: [Variable]
    let outputs: [Variable]
    let shapes: AttentionShapes
    let isCausal: Bool

    func backward(on tape: Tape) {
        guard outputs.contains(where: { tape.finishedGradient(of: $0) != nil }) else { return }
        let gradients = outputs.map { tape.accumulator(for: $0) ?? $0.value }
        let dq = queries.map(tape.accumulator)
        let dk = keys.map(tape.accumulator)
        let dv = values.map(tape.accumulator)
        let mark = tape.arena.mark
        let block = AttentionBlock(shapes: shapes, arena: tape.arena, isCausal: isCausal)
        let dy = tape.arena.allocate([shapes.queryTokens, shapes.width])
        let scores = tape.arena.allocate([shapes.queryTokens, shapes.keyTokens])
        let packed = tape.arena.allocate([max(shapes.queryTokens, shapes.keyTokens), shapes.width])
        for sample in 0..<shapes.samples {
            for head in 0..<shapes.heads {
                block.load(queries: queries, keys: keys, values: values, sample: sample, head: head)
                block.load(dy, from: gradients, sample: sample, head: head)
                block.computeProbabilities()
                product(block.probabilities, transposed: true, dy, into: packed)  // dV = Pᵀ · dY
                add(packed, to: dv, like: values, sample: sample, head: head)
                unsafe multiply(
                    Matrix(dy.pointer, stride: shapes.width),
                    Matrix(block.values.pointer, stride: shapes.width, transposed: true),
                    into: scores.pointer,
                    stride: shapes.keyTokens,
                    m: shapes.queryTokens,
                    n: shapes.keyTokens,
                    k: shapes.width
                )
                unsafe fs_softmax_backward(
                    block.probabilities.pointer,
                    scores.pointer,
                    shapes.queryTokens,
                    shapes.keyTokens,
                    block.scale
                )
                product(scores, transposed: false, block.keys, into: packed)  // dQ = dS · K
                add(packed, to: dq, like: queries, sample: sample, head: head)
                product(scores, transposed: true, block.queries, into: packed)  // dK = dSᵀ · Q
                add(packed, to: dk, like: keys, sample: sample, head: head)
            }
        }
        tape.arena.release(to: mark)
    }

    /// `result = op(matrix) · block` for a `[query tokens, key tokens]` matrix.
    private func product(_ matrix: Tensor, transposed: Bool, _ block: Tensor, into result: Tensor) {
        let (rows, inner) =
            transposed
            ? (shapes.keyTokens, shapes.queryTokens) : (shapes.queryTokens, shapes.keyTokens)
        unsafe multiply(
            Matrix(matrix.pointer, stride: shapes.keyTokens, transposed: transposed),
            Matrix(block.pointer, stride: shapes.width),
            into: result.pointer,
            stride: shapes.width,
            m: rows,
            n: shapes.width,
            k: inner
        )
    }

    /// Adds a packed head to the gradients of its streams; constant streams take up rows of it all the same.
    private func add(
        _ packed: Tensor,
        to gradients: [Tensor?],
        like streams: [Variable],
        sample: Int,
        head: Int
    ) {
        let stride = shapes.heads * shapes.width
        var row = 0
        for (gradient, stream) in zip(gradients, streams) {
            let tokens = stream.shape[1]
            if let gradient {
                unsafe fs_add_strided(
                    packed.pointer + row * shapes.width,
                    shapes.width,
                    gradient.pointer + (sample * tokens * stride + head * shapes.width),
                    stride,
                    tokens,
                    shapes.width
                )
            }
            row += tokens
        }
    }
}
