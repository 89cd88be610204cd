import CKernels

/// Blocks of memory of a MiB or more.
package enum LargeBlocks {
    /// From now on this process gives such blocks back to the system as soon as they are freed.
    ///
    /// By itself, malloc keeps blocks up to 32 MiB for later. For work that asks for the same blocks at every step that
    /// is faster; for what is held and let go of once a round it is memory that nobody uses.
    /// - Parameter mebibytes: of the least block.
    package static func returnWhenFreed(mebibytes: Int = 1) { fs_return_large_blocks(mebibytes << 20) }
}
