import Glibc

/// Why a file could not be mapped.
package struct MappingError: Error, Equatable {
    package let path: String
    /// The system's words, for example "No such file or directory".
    package let reason: String
}

/// A read-only file in memory, shared by every process that maps it.
@safe
package final class MappedFile: @unchecked Sendable {
    package let path: String
    package let byteCount: Int
    private let base: UnsafeRawPointer?

    /// Maps the whole file; an empty file maps to nothing.
    package init(path: String) throws(MappingError) {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw MappingError(path: path, reason: Self.systemReason()) }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            throw MappingError(path: path, reason: Self.systemReason())
        }
        guard (status.st_mode & S_IFMT) == S_IFREG else {
            throw MappingError(path: path, reason: "not a regular file")
        }
        self.path = path
        byteCount = Int(status.st_size)
        guard byteCount > 0 else {
            unsafe base = nil
            return
        }
        let mapped = unsafe mmap(nil, byteCount, PROT_READ, MAP_PRIVATE, descriptor, 0)
        guard let mapped = unsafe mapped, unsafe mapped != MAP_FAILED else {
            throw MappingError(path: path, reason: Self.systemReason())
        }
        unsafe base = UnsafeRawPointer(mapped)
    }

    deinit {
        if let base = unsafe base { unsafe munmap(UnsafeMutableRawPointer(mutating: base), byteCount) }
    }

    /// A copy of the bytes in `range`, which lies inside the file.
    package func bytes(_ range: Range<Int>) -> [UInt8] {
        precondition(range.lowerBound >= 0 && range.upperBound <= byteCount, "bytes \(range) of \(path)")
        guard let base = unsafe base, !range.isEmpty else { return [] }
        return unsafe [UInt8](UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count))
    }

    /// Lets go of the pages that lie in `range`; they are read again when they are asked for.
    package func forget(_ range: Range<Int>) {
        let page = sysconf(Int32(_SC_PAGESIZE))
        let (start, end) = ((range.lowerBound + page - 1) / page * page, range.upperBound / page * page)
        guard let base = unsafe base, start < end else { return }
        unsafe madvise(UnsafeMutableRawPointer(mutating: base + start), end - start, MADV_DONTNEED)
    }

    /// The numbers in `range` as a tensor: a view of the file where they are aligned 32-bit floats, else converted.
    package func tensor(_ range: Range<Int>, as type: ScalarType, shape: [Int]) -> Tensor {
        precondition(range.lowerBound >= 0 && range.upperBound <= byteCount, "bytes \(range) of \(path)")
        precondition(
            range.count == shape.reduce(type.byteCount, *),
            "\(range.count) bytes are not \(shape) of \(type.rawValue)"
        )
        guard let base = unsafe base, !range.isEmpty else { return .zeros(shape) }
        let source = unsafe base + range.lowerBound
        if type == .float32, range.lowerBound % 4 == 0 {
            let floats = unsafe UnsafeMutableRawPointer(mutating: source).assumingMemoryBound(to: Float.self)
            let storage = unsafe Storage(viewing: floats, count: range.count / 4, owner: self)
            return Tensor(shape: shape, storage: storage, offset: 0)
        }
        let tensor = Tensor.zeros(shape)
        unsafe tensor.decode(source, as: type)
        return tensor
    }

    private static func systemReason() -> String { unsafe String(cString: strerror(errno)) }
}
