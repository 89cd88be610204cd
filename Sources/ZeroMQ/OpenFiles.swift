import Glibc

/// How many files, sockets among them, this process may have open.
package enum OpenFiles {
    /// More than any process here needs; the kernel's own tables grow with what is used only.
    private static let wanted: rlim_t = 65_536

    /// Raises the soft limit towards the hard one, as a process that serves a whole cluster needs.
    ///
    /// Shells give 1024 by default. Children inherit it.
    /// - Returns: the limit that holds now.
    @discardableResult
    package static func raiseLimit() -> Int {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 0 }
        let raised = min(limit.rlim_max, max(limit.rlim_cur, wanted))
        guard raised > limit.rlim_cur else { return Int(clamping: limit.rlim_cur) }
        let former = limit.rlim_cur
        limit.rlim_cur = raised
        let status = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return Int(clamping: status == 0 ? raised : former)
    }
}
