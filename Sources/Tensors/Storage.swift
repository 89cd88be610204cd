/// A block of 64-byte aligned memory that tensors view.
///
/// Storage has no idea of shapes. It is written by one owner at a time: whoever made a tensor may write it
/// until it hands the tensor on; from then on it is read only. That rule, not a lock, makes it `Sendable`.
@safe
final class Storage: @unchecked Sendable {
    let base: UnsafeMutablePointer<Float>
    let count: Int
    /// Keeps a mapped file alive; memory that is mapped is not ours to free.
    let owner: AnyObject?

    /// Allocates `count` zeroed floats.
    init(zeroed count: Int) {
        let byteCount = max(64, count * MemoryLayout<Float>.stride)
        let raw = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 64)
        unsafe raw.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
        unsafe base = raw.assumingMemoryBound(to: Float.self)
        self.count = count
        owner = nil
    }

    /// Allocates `count` floats that are not set yet: of a large block, the system provides what is written to.
    init(uninitialized count: Int) {
        let byteCount = max(64, count * MemoryLayout<Float>.stride)
        let raw = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 64)
        unsafe base = raw.bindMemory(to: Float.self, capacity: byteCount / MemoryLayout<Float>.stride)
        self.count = count
        owner = nil
    }

    /// Views memory that `owner` keeps alive.
    init(viewing base: UnsafeMutablePointer<Float>, count: Int, owner: AnyObject) {
        unsafe self.base = base
        self.count = count
        self.owner = owner
    }

    deinit {
        if owner == nil { unsafe UnsafeMutableRawPointer(base).deallocate() }
    }
}
