import CKernels

/// A value that operations read and write, and, if it was made from something trainable, its place on the tape.
package struct Variable {
    package let value: Tensor
    /// The slot of its gradient; nil for a constant.
    let slot: Int?

    /// A value no gradient flows to.
    package init(constant value: Tensor) {
        self.value = value
        slot = nil
    }

    init(_ value: Tensor, slot: Int?) {
        self.value = value
        self.slot = slot
    }

    package var shape: [Int] { value.shape }
    /// True when a gradient flows back through it.
    package var isTracked: Bool { slot != nil }
}

/// One recorded operation: it knows its inputs, outputs and what it saved, and pulls gradients back.
protocol Operation {
    /// Adds to the gradients of its tracked inputs, given those of its outputs.
    func backward(on tape: Tape)
}

/// Reverse-mode differentiation over a few coarse operations.
///
/// Calling an operation computes its value at once. While the tape records, it also remembers how to go back;
/// ``backward(from:)`` then walks the operations in reverse. A tape and its arena belong to one thread. Values
/// made on a tape live until ``reset()``.
package final class Tape {
    package let arena: Arena
    /// False for inference: nothing is remembered, and operations may write over inputs they own.
    package private(set) var isRecording = false
    /// Where gradients of parameters go; parameters of other sets are constants.
    private var target: ParameterGradients?
    private var operations: [any Operation] = []
    private var gradients: [Tensor?] = []
    /// Lanes that have nothing of their own to do and share the work inside operations; nil when all are busy.
    var helpers: LanePool?

    package init(arena: Arena = Arena()) { self.arena = arena }

    /// Forgets the last step and starts one that differentiates `target`'s parameters and any ``variable(_:)``.
    package func beginStep(differentiating target: ParameterGradients? = nil) {
        reset()
        self.target = target
        isRecording = true
    }

    /// Forgets everything and frees the arena; the tape no longer records.
    package func reset() {
        operations.removeAll(keepingCapacity: true)
        gradients.removeAll(keepingCapacity: true)
        target = nil
        isRecording = false
        arena.reset()
    }

    /// A leaf whose gradient is wanted (``gradient(of:)``).
    package func variable(_ value: Tensor) -> Variable {
        isRecording ? track(value) : Variable(constant: value)
    }

    /// A parameter: a leaf whose gradient is added to its set's, or a constant where it is not being trained.
    package func parameter(_ parameter: Parameter) -> Variable {
        guard isRecording, let gradient = target?.gradient(of: parameter) else {
            return Variable(constant: parameter.value)
        }
        gradients.append(gradient)
        return Variable(parameter.value, slot: gradients.count - 1)
    }

    /// Pulls d loss back through everything recorded; `loss` is a scalar.
    ///
    /// - Parameter seed: d total / d loss, one unless several losses are weighted outside the tape.
    package func backward(from loss: Variable, seed: Float = 1) {
        precondition(loss.value.count == 1, "a loss is a scalar, got shape \(loss.shape)")
        guard let slot = loss.slot else { return }
        let one = arena.allocate(loss.shape)
        one.fill(seed)
        gradients[slot] = one
        for operation in operations.reversed() { operation.backward(on: self) }
    }

    /// The gradient that reached a variable, zeros if none did.
    package func gradient(of variable: Variable) -> Tensor {
        guard let slot = variable.slot, let gradient = gradients[slot] else { return .zeros(variable.shape) }
        return gradient
    }

    /// Runs `body` and, when nothing is recorded, frees what it allocated; results must be written elsewhere.
    package func scratch(_ body: () -> Void) {
        guard !isRecording else { return body() }
        let mark = arena.mark
        body()
        arena.release(to: mark)
    }
}

// MARK: - For operations

extension Tape {
    func track(_ value: Tensor) -> Variable {
        gradients.append(nil)
        return Variable(value, slot: gradients.count - 1)
    }

    /// The output of an operation: tracked when the tape records and any input is.
    func output(_ value: Tensor, of inputs: Variable?...) -> Variable {
        let isTracked = isRecording && inputs.contains { $0?.slot != nil }
        return isTracked ? track(value) : Variable(constant: value)
    }

    func record(_ operation: some Operation) { operations.append(operation) }

    /// The finished gradient of an operation's output; nil when nothing downstream used it.
    func finishedGradient(of output: Variable) -> Tensor? { output.slot.flatMap { gradients[$0] } }

    /// The buffer an input's gradient is added to, zeroed if new; nil for a constant.
    func accumulator(for input: Variable?) -> Tensor? {
        guard let (gradient, isNew) = product(for: input) else { return nil }
        if isNew { gradient.fill(0) }
        return gradient
    }

    /// Like ``accumulator(for:)`` but left unset when new, for products that can overwrite (β = 0).
    func product(for input: Variable?) -> (gradient: Tensor, isNew: Bool)? {
        guard let input, let slot = input.slot else { return nil }
        if let gradient = gradients[slot] { return (gradient, false) }
        let gradient = arena.allocate(input.shape)
        gradients[slot] = gradient
        return (gradient, true)
    }

    /// Hands an output's gradient on to an input that it flows to unchanged.
    ///
    /// The buffer itself is passed when the input has none yet: the output's gradient is complete and no later
    /// operation reads it.
    func pass(_ gradient: Tensor, to input: Variable?) {
        guard let input, let slot = input.slot else { return }
        if let existing = gradients[slot] {
            existing.accumulate(gradient)
        } else {
            gradients[slot] = gradient.reshaped(input.shape)
        }
    }
}
