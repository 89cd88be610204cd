import Glibc

/// Where numbers lie that are used once an update or less: in memory, or in files that the system pages in and out.
package struct StateMemory: Sendable {
    private let folder: String?

    /// Memory like any other.
    package static let resident = StateMemory(folder: nil)

    /// Unnamed files in a folder, gone with the process; their room on the disk is taken at once.
    package static func paged(in folder: String) -> StateMemory { StateMemory(folder: folder) }

    /// A zeroed tensor of its own.
    ///
    /// - Throws: with the folder and the bytes wanted, where its disk has not as many.
    package func zeros(_ shape: [Int]) throws(FileWritingError) -> Tensor {
        let count = shape.reduce(1, *)
        guard let folder, count > 0 else { return .zeros(shape) }
        let block = try PagedBlock(byteCount: count * MemoryLayout<Float>.stride, in: folder)
        let storage = unsafe Storage(
            viewing: block.base.assumingMemoryBound(to: Float.self),
            count: count,
            owner: block
        )
        return Tensor(shape: shape, storage: storage, offset: 0)
    }
}

extension Tensor {
    /// Takes paged numbers out of this process's memory until they are used again; others stay where they are.
    package func letGo() { (storage.owner as? PagedBlock)?.letGo() }
}

/// A shared mapping of a file that has no name.
@safe
private final class PagedBlock: @unchecked Sendable {
    let base: UnsafeMutableRawPointer
    private let byteCount: Int

    init(byteCount: Int, in folder: String) throws(FileWritingError) {
        func failed(_ reason: String) -> FileWritingError {
            FileWritingError(path: folder, reason: "\(reason) (paged state wants \(byteCount) bytes)")
        }
        let path = "\(folder)/paged-\(getpid())-\(UInt64.random(in: 0 ... .max))"
        let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failed(systemReason(errno)) }
        defer { _ = Glibc.close(descriptor) }
        guard unsafe unlink(path) == 0 else { throw failed(systemReason(errno)) }
        if let free = Self.freeByteCount(descriptor), free < byteCount {
            throw failed("\(systemReason(ENOSPC)), \(free) bytes are free")
        }
        // Without it a full disk would end the process at some later write.
        var failure: Int32
        repeat { failure = posix_fallocate(descriptor, 0, byteCount) } while failure == EINTR
        guard failure == 0 else { throw failed(systemReason(failure)) }
        let mapped = unsafe mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
        guard let mapped = unsafe mapped, unsafe mapped != MAP_FAILED else {
            throw failed(systemReason(errno))
        }
        unsafe base = mapped
        self.byteCount = byteCount
    }

    /// What the disk has left for a file's owner; nil where the file system does not say.
    private static func freeByteCount(_ descriptor: Int32) -> Int? {
        var disk = statvfs()
        guard unsafe fstatvfs(descriptor, &disk) == 0, disk.f_blocks > 0 else { return nil }
        let (bytes, overflow) = disk.f_bavail.multipliedReportingOverflow(by: disk.f_frsize)
        return overflow ? nil : Int(clamping: bytes)
    }

    deinit { unsafe munmap(base, byteCount) }

    /// What was written stays with the file, whose pages the system keeps or writes as it has room.
    func letGo() { _ = unsafe madvise(base, byteCount, MADV_DONTNEED) }
}
