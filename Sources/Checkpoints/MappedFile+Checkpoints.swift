import Tensors

extension MappedFile {
    /// Maps the file at `path`, saying why not in this module's terms.
    convenience init(opening path: String) throws(CheckpointError) {
        do {
            try self.init(path: path)
        } catch {
            throw .unreadable(path: error.path, reason: error.reason)
        }
    }

    /// The file cut into ranges of `chunkByteCount` bytes, the last one shorter if need be.
    func ranges(of chunkByteCount: Int) -> [Range<Int>] {
        stride(from: 0, to: byteCount, by: chunkByteCount).map {
            $0..<min(byteCount, $0 + chunkByteCount)
        }
    }
}
