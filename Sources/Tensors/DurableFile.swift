import CKernels
import Glibc

/// Why a file or folder could not be written.
package struct FileWritingError: Error, Equatable {
    /// The file or folder.
    package let path: String
    /// The system's words, for example "No space left on device".
    package let reason: String

    package init(path: String, reason: String) {
        self.path = path
        self.reason = reason
    }
}

extension FileWritingError: CustomStringConvertible {
    package var description: String { "\(path): cannot be written: \(reason)" }
}

/// A file being written, whose bytes survive a power cut once ``close()`` has returned.
package struct DurableFile: ~Copyable {
    /// Where the file is.
    package let path: String
    private var descriptor: Int32
    private var end = 0

    /// Creates the file, which must not exist yet.
    package init(creating path: String) throws(FileWritingError) {
        descriptor = try Self.descriptor(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC)
        self.path = path
    }

    /// Opens the file for writing at any place, making it `byteCount` long; what it held so far stays.
    package init(updating path: String, byteCount: Int) throws(FileWritingError) {
        let descriptor = try Self.descriptor(path, O_WRONLY | O_CREAT | O_CLOEXEC)
        guard ftruncate(descriptor, byteCount) == 0 else {
            let failure = FileWritingError.last(path)
            _ = Glibc.close(descriptor)
            throw failure
        }
        self.descriptor = descriptor
        self.path = path
    }

    deinit {
        if descriptor >= 0 { _ = Glibc.close(descriptor) }
    }

    /// Writes all of `bytes` behind what was appended before.
    package mutating func append(_ bytes: [UInt8]) throws(FileWritingError) {
        try write(bytes, at: end)
        end += bytes.count
    }

    /// Writes all of `bytes` from `offset` on.
    package func write(_ bytes: [UInt8], at offset: Int) throws(FileWritingError) {
        precondition(descriptor >= 0, "\(path) is already closed")
        let failure: FileWritingError? = unsafe bytes.withUnsafeBytes { all in
            var done = 0
            while done < all.count {
                let rest = unsafe UnsafeRawBufferPointer(rebasing: all[done...])
                // The system may write fewer bytes than asked, or be interrupted before the first.
                let count = unsafe pwrite(descriptor, rest.baseAddress, rest.count, offset + done)
                guard count > 0 || (count < 0 && errno == EINTR) else { return .last(path) }
                done += max(0, count)
            }
            return nil
        }
        if let failure { throw failure }
    }

    /// Waits until the bytes are on the disk, then closes the file; nothing may be written afterwards.
    package mutating func close() throws(FileWritingError) {
        let synchronized = fsync(descriptor) == 0
        let failure = FileWritingError.last(path)
        let closed = Glibc.close(descriptor) == 0
        descriptor = -1
        guard synchronized else { throw failure }
        guard closed else { throw .last(path) }
    }

    private static func descriptor(_ path: String, _ flags: Int32) throws(FileWritingError) -> Int32 {
        let descriptor = unsafe open(path, flags, 0o644)
        guard descriptor >= 0 else { throw .last(path) }
        return descriptor
    }
}

/// Renames a file or folder, then waits until the disk knows its new name.
///
/// A file of the new name is replaced; a folder of the new name must be empty. Both names are on one file
/// system.
package func renameDurably(from: String, to: String) throws(FileWritingError) {
    guard unsafe rename(from, to) == 0 else { throw .last(to) }
    try synchronizeParent(of: to)
}

/// Gives each of two files or folders the name of the other, so that there is one of either name at any time, then waits
/// until the disk knows.
///
/// - Throws: on file systems that cannot do so, too; both keep their names then.
package func exchangeDurably(_ path: String, _ other: String) throws(FileWritingError) {
    guard unsafe fs_exchange_names(path, other) == 0 else { throw .last(other) }
    try synchronizeParent(of: path)
    try synchronizeParent(of: other)
}

/// Waits until the disk knows the name of the file or folder at `path`.
package func synchronizeParent(of path: String) throws(FileWritingError) {
    let parent = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) }
    try synchronizeFolder(parent ?? ".")
}

/// Waits until the disk knows the names in `folder`.
package func synchronizeFolder(_ folder: String) throws(FileWritingError) {
    let descriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .last(folder) }
    defer { _ = close(descriptor) }
    guard fsync(descriptor) == 0 else { throw .last(folder) }
}

/// The system's words for an error number, for example "No space left on device".
package func systemReason(_ errorNumber: Int32) -> String {
    unsafe String(cString: strerror(errorNumber))
}

extension FileWritingError {
    /// The error of the last system call.
    static func last(_ path: String) -> FileWritingError {
        FileWritingError(path: path, reason: systemReason(errno))
    }
}
