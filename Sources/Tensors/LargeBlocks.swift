import CKernels

/// Blocks of memory of a MiB or more.
package enum LargeBlocks {
    /// From now on this process gives such blocks back to the system as soon as they are freed.
    ///
    /// By itself, malloc keeps blocks up to 32 MiB for later. For work that asks for the same blocks at every step that
    /// is faster; for work that holds much and changes it seldom it is memory that nobody uses.
    package static func returnWhenFreed() { fs_return_large_blocks(1 << 20) }
}
