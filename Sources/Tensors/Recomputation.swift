extension Tape {
    /// Computes `body` and remembers its inputs alone; the backward pass computes it again (gradient
    /// checkpointing, Chen and others 2016).
    ///
    /// - Parameters:
    ///   - inputs: everything that `body` reads from the tape.
    ///   - count: outputs of `body`, which have the shapes of the first of its inputs.
    ///   - body: a pure function of its inputs and of parameters; it may write over those first inputs while the
    ///     tape does not record.
    package func recomputed(
        _ inputs: [Variable],
        outputs count: Int,
        _ body: @escaping (Tape, [Variable]) -> [Variable]
    ) -> [Variable] {
        guard isRecording else { return body(self, inputs) }
        let values = inputs.prefix(count).map { input in
            let copy = arena.allocate(input.shape)
            copy.copy(from: input.value)
            return copy
        }
        isRecording = false
        scratch {
            let constants = (values + inputs.dropFirst(count).map(\.value)).map(Variable.init(constant:))
            for (value, output) in zip(values, body(self, constants))
            where !output.value.startsWhere(value) {
                value.copy(from: output.value)
            }
        }
        isRecording = true
        // Whatever is being trained may be a parameter of the body.
        let reach = targets.indices.reduce(UInt64(1)) { $0 | 2 << UInt64($1) }
        let outputs = values.map { value in
            slots.append(Slot(gradient: nil, reach: reach, isLeaf: false))
            return Variable(value, slot: slots.count - 1)
        }
        record(RecomputedOperation(inputs: inputs, outputs: outputs, body: body))
        return outputs
    }
}

private struct RecomputedOperation: Operation {
    let inputs: [Variable]
    let outputs: [Variable]
    let body: (Tape, [Variable]) -> [Variable]

    /// Records the body on leaves of its own, pulls the outputs' gradients back through it, and forgets it.
    func backward(on tape: Tape) {
        let gradients = outputs.map(tape.finishedGradient)
        guard gradients.contains(where: { $0 != nil }) else { return }
        let accumulators = inputs.map(tape.accumulator)
        let (records, spares, slotCount, mark) = (
            tape.records, tape.spares, tape.slots.count, tape.arena.mark
        )
        tape.records = []
        tape.spares = [:]
        tape.unrecordedSlots = slotCount
        let leaves = inputs.map { input in
            tape.leaf(input.value, gradient: nil, reach: input.slot.map { tape.slots[$0].reach } ?? 0)
        }
        for (output, gradient) in zip(body(tape, leaves), gradients) {
            guard let slot = output.slot, let gradient else { continue }
            tape.slots[slot].gradient = gradient
        }
        tape.walkBack()
        for (accumulator, leaf) in zip(accumulators, leaves) {
            if let gradient = tape.finishedGradient(of: leaf) { accumulator?.accumulate(gradient) }
        }
        // Its gradients lie in memory that is given back.
        tape.records = records
        tape.spares = spares
        gradients.forEach { if let gradient = $0 { tape.keep(gradient) } }
        tape.slots.removeLast(tape.slots.count - slotCount)
        tape.unrecordedSlots = slotCount
        tape.arena.release(to: mark)
    }
}
