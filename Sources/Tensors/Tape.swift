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
/// ``backward(from:seed:to:)`` then walks the operations in reverse. A tape and its arena belong to one thread.
/// Values made on a tape live until ``reset()``.
package final class Tape {
    /// Where the gradient of a tracked value gathers.
    struct Slot {
        var gradient: Tensor?
        /// A bit for each of the targets that the value depends on, and one for variables.
        let reach: UInt64
        /// True for parameters and variables, whose gradients outlive a walk.
        let isLeaf: Bool
    }

    /// An operation and the slots that came up with it: its outputs and the parameters it reads.
    struct Record {
        let operation: any Operation
        let slots: Range<Int>
    }

    package let arena: Arena
    /// False for inference: nothing is remembered, and operations may write over inputs they own.
    package internal(set) var isRecording = false
    /// Where gradients of parameters go; parameters of other sets are constants.
    private(set) var targets: [ParameterGradients] = []
    var records: [Record] = []
    /// The first slot that came up after the last record.
    var unrecordedSlots = 0
    var slots: [Slot] = []
    /// The targets of the walk that is under way.
    private var wanted: UInt64 = .max
    /// Values and gradients that were read for the last time, by their number of elements.
    var spares: [Int: [Tensor]] = [:]
    /// Gradients that the operation walked over handed on.
    private var passed: [Tensor] = []
    /// Where lanes that have nothing of their own to do take work inside operations; nil for a tape by itself.
    var helpers: LaneBoard?

    package init(arena: Arena = Arena()) { self.arena = arena }

    /// Forgets the last step and starts one that differentiates the parameters of `targets` and any
    /// ``variable(_:)``.
    package func beginStep(differentiating targets: ParameterGradients...) {
        reset()
        self.targets = targets
        isRecording = true
    }

    /// Forgets everything and frees the arena; the tape no longer records.
    package func reset() {
        records.removeAll(keepingCapacity: true)
        unrecordedSlots = 0
        spares.removeAll(keepingCapacity: true)
        slots.removeAll(keepingCapacity: true)
        targets.removeAll(keepingCapacity: true)
        isRecording = false
        arena.reset()
    }

    /// A leaf whose gradient is wanted (``gradient(of:)``).
    package func variable(_ value: Tensor) -> Variable {
        isRecording ? leaf(value, gradient: nil, reach: 1) : Variable(constant: value)
    }

    /// A parameter: a leaf whose gradient is added to its set's, or a constant where it is not being trained.
    package func parameter(_ parameter: Parameter) -> Variable {
        guard isRecording else { return Variable(constant: parameter.value) }
        for (index, target) in targets.enumerated() {
            guard let gradient = target.gradient(of: parameter) else { continue }
            return leaf(parameter.value, gradient: gradient, reach: 2 << UInt64(index))
        }
        return Variable(constant: parameter.value)
    }

    func leaf(_ value: Tensor, gradient: Tensor?, reach: UInt64) -> Variable {
        slots.append(Slot(gradient: gradient, reach: reach, isLeaf: true))
        return Variable(value, slot: slots.count - 1)
    }

    /// Pulls d loss back through everything recorded; `loss` is a scalar.
    ///
    /// What was recorded stays, so that another loss can be pulled back through the same values.
    /// - Parameters:
    ///   - seed: d total / d loss, one unless several losses are weighted outside the tape.
    ///   - target: the only set whose gradients are wanted; nil for all, variables too.
    package func backward(from loss: Variable, seed: Float = 1, to target: ParameterGradients? = nil) {
        precondition(loss.value.count == 1, "a loss is a scalar, got shape \(loss.shape)")
        guard let slot = loss.slot else { return }
        let place = target.flatMap { target in targets.firstIndex { $0.set == target.set } }
        wanted = target == nil ? .max : place.map { 2 << UInt64($0) } ?? 0
        for index in slots.indices where !slots[index].isLeaf { slots[index].gradient = nil }
        let one = arena.allocate(loss.shape)
        one.fill(seed)
        slots[slot].gradient = one
        walkBack()
        wanted = .max
    }

    /// Pulls gradients back through everything recorded; those of outputs are read for the last time.
    func walkBack() {
        for record in records.reversed() {
            passed.removeAll(keepingCapacity: true)
            record.operation.backward(on: self)
            for index in record.slots where !slots[index].isLeaf {
                guard let gradient = slots[index].gradient else { continue }
                if !passed.contains(where: gradient.startsWhere) {
                    retire(gradient)
                }
                slots[index].gradient = nil
            }
        }
    }

    /// The gradient that reached a variable, zeros if none did.
    package func gradient(of variable: Variable) -> Tensor {
        guard let slot = variable.slot, let gradient = slots[slot].gradient else {
            return .zeros(variable.shape)
        }
        return gradient
    }

    /// Runs `body` and, when nothing is recorded, frees what it allocated; results must be written elsewhere.
    package func scratch(_ body: () -> Void) {
        guard !isRecording else { return body() }
        let (mark, outer) = (arena.mark, spares)
        spares = [:]
        body()
        spares = outer
        arena.release(to: mark)
    }
}

// MARK: - For operations

extension Tape {
    /// The output of an operation: tracked when the tape records and any input is.
    func output(_ value: Tensor, of inputs: Variable?...) -> Variable { output(value, of: inputs) }

    func output(_ value: Tensor, of inputs: [Variable?]) -> Variable {
        guard isRecording else { return Variable(constant: value) }
        let reach = inputs.reduce(UInt64(0)) { reach, input in
            reach | (input?.slot.map { slots[$0].reach } ?? 0)
        }
        guard reach != 0 else { return Variable(constant: value) }
        slots.append(Slot(gradient: nil, reach: reach, isLeaf: false))
        return Variable(value, slot: slots.count - 1)
    }

    /// Remembers an operation whose outputs were just made.
    func record(_ operation: some Operation) {
        records.append(Record(operation: operation, slots: unrecordedSlots..<slots.count))
        unrecordedSlots = slots.count
    }

    /// The finished gradient of an operation's output; nil when nothing downstream used it.
    func finishedGradient(of output: Variable) -> Tensor? { output.slot.flatMap { slots[$0].gradient } }

    /// A tensor whose elements are not set yet, where a value lay that is not read again or in the arena.
    func allocate(_ shape: [Int]) -> Tensor {
        spares[shape.reduce(1, *)]?.popLast()?.reshaped(shape) ?? arena.allocate(shape)
    }

    /// Lets the memory of a value serve again: no operation reads it from here on, on the way back neither.
    func retire(_ value: Tensor) { spares[value.count, default: []].append(value) }

    /// The buffer an input's gradient is added to, zeroed if new; nil for a constant.
    func accumulator(for input: Variable?) -> Tensor? {
        guard let (gradient, isNew) = product(for: input) else { return nil }
        if isNew { gradient.fill(0) }
        return gradient
    }

    /// Like ``accumulator(for:)`` but left unset when new, for products that can overwrite (β = 0).
    func product(for input: Variable?) -> (gradient: Tensor, isNew: Bool)? {
        guard let input, let slot = wantedSlot(of: input) else { return nil }
        if let gradient = slots[slot].gradient { return (gradient, false) }
        let gradient = allocate(input.shape)
        slots[slot].gradient = gradient
        return (gradient, true)
    }

    /// Hands an output's gradient on to an input that it flows to unchanged.
    ///
    /// The buffer itself is passed when the input has none yet: the output's gradient is complete and no later
    /// operation reads it.
    func pass(_ gradient: Tensor, to input: Variable?) {
        guard let input, let slot = wantedSlot(of: input) else { return }
        if let existing = slots[slot].gradient {
            existing.accumulate(gradient)
        } else {
            slots[slot].gradient = gradient.reshaped(input.shape)
            keep(gradient)
        }
    }

    /// Keeps the gradient of an output of the operation walked over from being used for another value.
    func keep(_ gradient: Tensor) { passed.append(gradient) }

    private func wantedSlot(of input: Variable) -> Int? {
        input.slot.flatMap { slots[$0].reach & wanted == 0 ? nil : $0 }
    }
}
