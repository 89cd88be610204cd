import CKernels

extension Tape {
    /// Scaled dot-product attention over the tokens of one or several streams joined (SD3's joint attention,
    /// Esser and others 2024, §4; Vaswani and others 2017, equation 1).
    ///
    /// Shape letters: `B` samples, `T` tokens of all streams, `H` heads, `D` head width. The tokens of a sample
    /// in different streams attend to each other. Scores exist for a few queries at a time and are made anew in
    /// the backward pass, so memory grows with B · H · T.
    /// - Parameters:
    ///   - queries: a `[B, tokens, H · D]` for each of the first streams; as many outputs are made.
    ///   - keys: a `[B, tokens, H · D]` for every stream, two at most, as are `values`.
    ///   - scale: what scores are multiplied by; the inverse root of the head width where it is nil.
    ///   - positionBias: `[H, tokens − 1 + tokens]` (one stream): what is added to q · k, before the scale, where the
    ///     key stands `1 − tokens … tokens − 1` places after the query; a constant, no gradient flows to it.
    ///   - consuming: nothing else reads queries, keys and values; when nothing is recorded their memory serves again.
    ///   - isCausal: a token sees itself and earlier ones only (one stream).
    ///   - precision: of the factors of the products, there and back, where the CPU multiplies bfloat16; softmax and
    ///     sums are 32-bit floats.
    /// - Returns: one `[B, tokens, H · D]` for each query stream.
    package func attention(
        queries: [Variable],
        keys: [Variable],
        values: [Variable],
        heads: Int,
        isCausal: Bool = false,
        scale: Float? = nil,
        positionBias: Tensor? = nil,
        precision: Precision = .float32,
        consuming: Bool = false
    ) -> [Variable] {
        let outputs = queries.map { allocate($0.shape) }
        let attention = JointAttention(
            queries: queries.map(\.value),
            keys: keys.map(\.value),
            values: values.map(\.value),
            outputs: outputs,
            logSums: isRecording
                ? allocate([keys[0].shape[0], heads, queries.reduce(0) { $0 + $1.shape[1] }]) : nil,
            heads: heads,
            isCausal: isCausal,
            scale: scale ?? 1 / Float(keys[0].shape[2] / heads).squareRoot(),
            positionBias: positionBias,
            isBFloat16: precision.roundsFactors
        )
        attention.forward(on: self)
        let results = outputs.map { output($0, of: queries + keys + values) }
        if results[0].isTracked {
            record(
                AttentionOperation(
                    queries: queries,
                    keys: keys,
                    values: values,
                    outputs: results,
                    attention: attention
                )
            )
        }
        if consuming, !isRecording { (queries + keys + values).forEach { retire($0.value) } }
        return results
    }
}

/// What both directions read, and the outputs and log sums that the forward pass writes.
struct JointAttention {
    let queries: [Tensor]
    let keys: [Tensor]
    let values: [Tensor]
    let outputs: [Tensor]
    /// log Σ exp of every row of scores, `[B, H, query tokens]`; nil when there is no way back.
    let logSums: Tensor?
    let heads: Int
    let isCausal: Bool
    let scale: Float
    /// `[H, 2 · tokens − 1]`.
    let positionBias: Tensor?
    let isBFloat16: Bool
    /// Of the streams, where the kernel normalises queries and keys and makes outputs of pairs, `[B, tokens, H · D / 2]`.
    var norms: [HeadNorms] = []

    init(
        queries: [Tensor],
        keys: [Tensor],
        values: [Tensor],
        outputs: [Tensor],
        logSums: Tensor?,
        heads: Int,
        isCausal: Bool,
        scale: Float,
        positionBias: Tensor?,
        isBFloat16: Bool
    ) {
        precondition(
            !queries.isEmpty && queries.count <= keys.count && keys.count == values.count
                && keys.count <= FS_ATTENTION_STREAMS,
            "\(queries.count) query, \(keys.count) key and \(values.count) value streams"
        )
        let features = keys[0].shape[2]
        precondition(
            (queries + keys + values).allSatisfy { $0.shape.count == 3 && $0.shape[2] == features }
                && features % heads == 0,
            "streams of [samples, tokens, \(features)] with \(heads) heads"
        )
        precondition(
            positionBias.map { keys.count == 1 && $0.shape == [heads, 2 * keys[0].shape[1] - 1] } ?? true,
            "a bias of shape \(positionBias?.shape ?? []) for \(heads) heads of \(keys.map(\.shape))"
        )
        self.scale = scale
        self.positionBias = positionBias
        self.isBFloat16 = isBFloat16
        self.queries = queries
        self.keys = keys
        self.values = values
        self.outputs = outputs
        self.logSums = logSums
        self.heads = heads
        self.isCausal = isCausal
    }

    /// Heads that make a million multiplications.
    private var leastHeads: Int {
        let tokens = keys.reduce(0) { $0 + $1.shape[1] }
        return 1 + (1 << 19) / max(1, tokens * tokens * keys[0].shape[2] / heads)
    }

    /// Parts of a head's queries that are worked on apart on the way forward, so that lanes have something to share
    /// where there are few heads of many tokens.
    private var queryParts: Int {
        guard queries.count == 1, !isCausal, positionBias == nil, keys[0].shape[0] * heads < 4 else {
            return 1
        }
        return max(1, min(4, queries[0].shape[1] / 1024))
    }

    func forward(on tape: Tape) {
        let kernel = unsafe isBFloat16 ? fs_attention_forward_bf16 : fs_attention_forward
        unsafe forEachHead(on: tape, arguments, parts: queryParts, kernel)
    }

    fileprivate func backward(_ gradients: AttentionGradients, on tape: Tape) {
        var arguments = unsafe arguments
        unsafe arguments.doutputs = rows(gradients.outputs)
        unsafe arguments.dqueries = results(gradients.queries)
        unsafe arguments.dkeys = results(gradients.keys)
        unsafe arguments.dvalues = results(gradients.values)
        let kernel = unsafe isBFloat16 ? fs_attention_backward_bf16 : fs_attention_backward
        unsafe forEachHead(on: tape, arguments, parts: 1, kernel)
    }

    /// Calls a kernel for every head of every sample, shared with idle lanes.
    ///
    /// - Parameter first: the arguments of the first sample's first head.
    private func forEachHead(
        on tape: Tape,
        _ first: fs_attention_arguments,
        parts: Int,
        _ kernel: (fs_isa, UnsafePointer<fs_attention_arguments>, UnsafeMutablePointer<Float>) -> Void
    ) {
        let isa = InstructionSet.best
        var sizing = unsafe first
        let size =
            isBFloat16
            ? unsafe fs_attention_workspace_bf16(isa, &sizing) : unsafe fs_attention_workspace(isa, &sizing)
        tape.share(keys[0].shape[0] * heads * parts, least: parts > 1 ? 1 : leastHeads) { arena, range in
            arena.scratch(size) { workspace in
                for index in range {
                    let place = index / parts
                    var arguments = unsafe first.of(sample: place / heads, head: place % heads)
                    if parts > 1 { unsafe arguments.keepQueries(index % parts, of: parts) }
                    unsafe kernel(isa, &arguments, workspace.pointer)
                }
            }
        }
    }

    /// Those of the first sample's first head, on the way forward.
    private var arguments: fs_attention_arguments {
        var a = unsafe fs_attention_arguments()
        unsafe a.streams = keys.count
        unsafe a.query_streams = queries.count
        unsafe a.width = keys[0].shape[2] / heads
        unsafe a.scale = scale
        unsafe a.causal = isCausal ? 1 : 0
        if let positionBias {
            unsafe a.position_bias = UnsafePointer(positionBias.pointer + (keys[0].shape[1] - 1))
        }
        unsafe a.queries = rows(queries)
        unsafe a.keys = rows(keys)
        unsafe a.values = rows(values)
        unsafe a.outputs = results(outputs)
        unsafe a.log_sums = logSums?.pointer
        if !norms.isEmpty {
            unsafe a.query_norms = weights(norms.map(\.query))
            unsafe a.key_norms = weights(norms.map(\.key))
            unsafe a.norm_epsilon = HeadNorms.epsilon
            unsafe a.rounds_outputs = 1
        }
        return unsafe a
    }

    private func weights(_ norms: [Parameter?]) -> (UnsafePointer<Float>?, UnsafePointer<Float>?) {
        func weight(_ norm: Parameter?) -> UnsafePointer<Float>? {
            unsafe norm.map { unsafe UnsafePointer($0.value.pointer) }
        }
        return unsafe (weight(norms[0]), norms.count > 1 ? weight(norms[1]) : nil)
    }

    private func rows(_ streams: [Tensor?]) -> (fs_token_rows, fs_token_rows) {
        let (first, second) = unsafe results(streams)
        return unsafe (
            fs_token_rows(rows: first.rows, stride: first.stride, tokens: first.tokens),
            fs_token_rows(rows: second.rows, stride: second.stride, tokens: second.tokens)
        )
    }

    private func results(_ streams: [Tensor?]) -> (fs_token_results, fs_token_results) {
        func result(_ stream: Tensor?) -> fs_token_results {
            guard let stream else { return unsafe fs_token_results() }
            return unsafe fs_token_results(
                rows: stream.pointer,
                stride: stream.shape[2],
                tokens: stream.shape[1]
            )
        }
        return unsafe (result(streams[0]), streams.count > 1 ? result(streams[1]) : fs_token_results())
    }
}

extension fs_attention_arguments {
    /// The arguments of another head, given those of the first sample's first.
    fileprivate func of(sample: Int, head: Int) -> fs_attention_arguments {
        var a = unsafe self
        let column = unsafe head * width
        unsafe a.queries.0.move(to: sample, column)
        unsafe a.queries.1.move(to: sample, column)
        unsafe a.keys.0.move(to: sample, column)
        unsafe a.keys.1.move(to: sample, column)
        unsafe a.values.0.move(to: sample, column)
        unsafe a.values.1.move(to: sample, column)
        let outputColumn = unsafe rounds_outputs == 0 ? column : column / 2
        unsafe a.outputs.0.move(to: sample, outputColumn)
        unsafe a.outputs.1.move(to: sample, outputColumn)
        unsafe a.doutputs.0.move(to: sample, column)
        unsafe a.doutputs.1.move(to: sample, column)
        unsafe a.dqueries.0.move(to: sample, column)
        unsafe a.dqueries.1.move(to: sample, column)
        unsafe a.dkeys.0.move(to: sample, column)
        unsafe a.dkeys.1.move(to: sample, column)
        unsafe a.dvalues.0.move(to: sample, column)
        unsafe a.dvalues.1.move(to: sample, column)
        let heads = unsafe queries.0.stride / width
        let queryTokens = unsafe queries.0.tokens + queries.1.tokens
        unsafe a.log_sums = log_sums.map { unsafe $0 + (sample * heads + head) * queryTokens }
        if let bias = unsafe position_bias { unsafe a.position_bias = bias + head * (2 * keys.0.tokens - 1) }
        return unsafe a
    }

    /// Leaves one of `parts` runs of the first stream's queries.
    fileprivate mutating func keepQueries(_ part: Int, of parts: Int) {
        let tokens = unsafe queries.0.tokens
        let first = part * tokens / parts
        let count = (part + 1) * tokens / parts - first
        unsafe queries.0.rows += first * queries.0.stride
        unsafe queries.0.tokens = count
        unsafe outputs.0.rows += first * outputs.0.stride
        unsafe outputs.0.tokens = count
        unsafe log_sums = log_sums.map { unsafe $0 + first }
    }
}

extension fs_token_rows {
    fileprivate mutating func move(to sample: Int, _ column: Int) {
        unsafe rows = rows.map { unsafe $0 + (sample * tokens * stride + column) }
    }
}

extension fs_token_results {
    fileprivate mutating func move(to sample: Int, _ column: Int) {
        unsafe rows = rows.map { unsafe $0 + (sample * tokens * stride + column) }
    }
}

/// The buffers of a backward pass, nil for what no gradient comes from or goes to.
private struct AttentionGradients {
    let outputs: [Tensor?]
    let queries: [Tensor?]
    let keys: [Tensor?]
    let values: [Tensor?]
}

private struct AttentionOperation: Operation {
    let queries: [Variable]
    let keys: [Variable]
    let values: [Variable]
    let outputs: [Variable]
    let attention: JointAttention

    func backward(on tape: Tape) {
        let gradients = AttentionGradients(
            outputs: outputs.map(tape.finishedGradient),
            queries: queries.map(tape.accumulator),
            keys: keys.map(tape.accumulator),
            values: values.map(tape.accumulator)
        )
        attention.backward(gradients, on: tape)
    }
}
