import CKernels

extension Tape {
    /// Values that agree in all axes but the last, side by side along it.
    package func joinColumns(_ parts: [Variable]) -> Variable {
        let width = parts.reduce(0) { $0 + ($1.shape.last ?? 1) }
        let joined = allocate(parts[0].shape.dropLast() + [width])
        joined.setColumns(parts.map(\.value))
        let result = output(joined, of: parts)
        if result.isTracked { record(ColumnJoinOperation(parts: parts, y: result)) }
        return result
    }
}

private struct ColumnJoinOperation: Operation {
    let parts: [Variable]
    let y: Variable

    func backward(on tape: Tape) {
        guard let dy = tape.finishedGradient(of: y) else { return }
        let width = y.shape.last ?? 1
        var column = 0
        for part in parts {
            let partWidth = part.shape.last ?? 1
            defer { column += partWidth }
            guard let (dx, isNew) = tape.product(for: part) else { continue }
            let columns = isNew ? dx : tape.allocate(part.shape)
            unsafe fs_copy_strided(
                dy.pointer + column,
                width,
                columns.pointer,
                partWidth,
                part.value.count / partWidth,
                partWidth
            )
            if !isNew {
                dx.accumulate(columns)
                tape.retire(columns)
            }
        }
    }
}
