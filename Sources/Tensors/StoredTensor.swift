import Glibc

/// Numbers as they lie in a mapped file or in memory, in their own type: made floats where someone asks for floats.
package struct StoredTensor: Sendable {
    private enum Place {
        case memory(Tensor)
        case file(MappedFile, offset: Int)
    }

    /// Extents, outermost first.
    package let shape: [Int]
    package let type: ScalarType
    private let place: Place

    /// Numbers in memory.
    package init(_ tensor: Tensor) {
        shape = tensor.shape
        type = .float32
        place = .memory(tensor)
    }

    /// Numbers in a file that holds as many from `offset` on.
    init(in file: MappedFile, at offset: Int, type: ScalarType, shape: [Int]) {
        self.shape = shape
        self.type = type
        place = .file(file, offset: offset)
    }

    private init(shape: [Int], type: ScalarType, place: Place) {
        self.shape = shape
        self.type = type
        self.place = place
    }

    package var count: Int { shape.reduce(1, *) }

    /// True where ``floats`` copies nothing.
    package var areFloats: Bool {
        switch place {
        case .memory: true
        case .file(_, let offset): type == .float32 && offset.isMultiple(of: type.byteCount)
        }
    }

    /// The numbers as 32-bit floats: a view where they are that and aligned, else converted, in memory of their own.
    package var floats: Tensor {
        switch place {
        case .memory(let tensor): return tensor.reshaped(shape)
        case .file(let file, let offset):
            if areFloats, let view = file.view(at: offset, shape: shape) { return view }
            let tensor = Tensor.zeros(shape)
            write(to: tensor)
            return tensor
        }
    }

    /// Overwrites a tensor of as many elements with the numbers.
    package func write(to tensor: Tensor) {
        precondition(tensor.count == count, "writing \(shape) to \(tensor.shape)")
        switch place {
        case .memory(let source): tensor.copy(from: source)
        case .file(let file, let offset):
            if let source = unsafe file.address(of: offset) { unsafe tensor.decode(source, as: type) }
        }
    }

    /// The numbers where they lie, of the type that they have, if that is aligned; nil where there are none.
    var elements: UnsafeRawPointer? {
        switch place {
        case .memory(let tensor): return unsafe UnsafeRawPointer(tensor.pointer)
        case .file(let file, let offset):
            guard offset.isMultiple(of: type.byteCount) else { return nil }
            return unsafe file.address(of: offset)
        }
    }

    /// The same numbers under another shape of equal count.
    package func reshaped(_ shape: [Int]) -> StoredTensor {
        precondition(
            shape.reduce(1, *) == count,
            "\(self.shape) has \(count) elements, not those of \(shape)"
        )
        return StoredTensor(shape: shape, type: type, place: place)
    }

    /// Rows of the first axis.
    package func rows(_ range: Range<Int>) -> StoredTensor {
        precondition(
            !shape.isEmpty && range.lowerBound >= 0 && range.upperBound <= shape[0],
            "rows \(range) of shape \(shape)"
        )
        let part = [range.count] + shape.dropFirst()
        switch place {
        case .memory(let tensor): return StoredTensor(tensor.reshaped(shape).rows(range))
        case .file(let file, let offset):
            let first = range.lowerBound * shape.dropFirst().reduce(type.byteCount, *)
            return StoredTensor(in: file, at: offset + first, type: type, shape: part)
        }
    }

    /// Lets the system take back the memory in which a file's numbers lie; whoever reads them reads the file again.
    package func letGo() {
        guard case .file(let file, let offset) = place else { return }
        file.letGo(offset..<offset + count * type.byteCount)
    }
}
