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
        guard descriptor >= 0 else { throw MappingError(path: path, reason: systemReason(errno)) }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            throw MappingError(path: path, reason: systemReason(errno))
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
            throw MappingError(path: path, reason: systemReason(errno))
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

    /// The numbers in `range`, which lies inside the file, as they are.
    package func stored(_ range: Range<Int>, as type: ScalarType, shape: [Int]) -> StoredTensor {
        precondition(range.lowerBound >= 0 && range.upperBound <= byteCount, "bytes \(range) of \(path)")
        precondition(
            range.count == shape.reduce(type.byteCount, *),
            "\(range.count) bytes are not \(shape) of \(type.rawValue)"
        )
        return StoredTensor(in: self, at: range.lowerBound, type: type, shape: shape)
    }

    /// Where a byte lies; nil in an empty file.
    func address(of offset: Int) -> UnsafeRawPointer? { unsafe base.map { unsafe $0 + offset } }

    /// Aligned 32-bit floats from `offset` on; nil where there are none.
    func view(at offset: Int, shape: [Int]) -> Tensor? {
        let count = shape.reduce(1, *)
        guard count > 0, let source = unsafe address(of: offset) else { return nil }
        let floats = unsafe UnsafeMutableRawPointer(mutating: source).assumingMemoryBound(to: Float.self)
        return Tensor(
            shape: shape,
            storage: unsafe Storage(viewing: floats, count: count, owner: self),
            offset: 0
        )
    }

    /// Takes whole pages inside `range` out of this process's memory, until they are read again.
    package func letGo(_ range: Range<Int>) {
        let page = Int(getpagesize())
        let first = (range.lowerBound + page - 1) / page * page
        let end = range.upperBound == byteCount ? byteCount : range.upperBound / page * page
        guard first < end, let start = unsafe address(of: first) else { return }
        // Where the system does not take the hint, memory stays, and nothing else is different.
        _ = unsafe madvise(UnsafeMutableRawPointer(mutating: start), end - first, MADV_DONTNEED)
    }
}
