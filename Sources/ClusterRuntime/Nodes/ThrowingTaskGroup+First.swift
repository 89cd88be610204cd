extension ThrowingTaskGroup where ChildTaskResult == Void, Failure == any Error {
    /// Waits for the first child to end, cancels the others and waits for them.
    ///
    /// Throws what went wrong first; that a child was cancelled is nothing wrong.
    package mutating func endWithFirst() async throws {
        var failure: (any Error)?
        while let result = await nextResult() {
            cancelAll()
            if case .failure(let error) = result, !(error is CancellationError) { failure = failure ?? error }
        }
        if let failure { throw failure }
    }
}
