import Dispatch
import Foundation
import Synchronization

/// One system thread for long synchronous numerics, which would stop heartbeats on the threads tasks share.
///
/// Pieces of work run one after another in the order they are given. The thread ends with its owner.
package final class ComputeThread: Sendable {
    private let line = Line()

    /// - Parameter name: shown by `top -H` and debuggers, at most 15 characters of it.
    package init(name: String) {
        let thread = Thread { [line] in line.run() }
        thread.stackSize = 8 << 20
        thread.start()
        // Before the start, or from within, it would not always reach the system's thread.
        thread.name = String(name.prefix(15))
    }

    deinit { line.add(nil) }

    /// Runs `work` on the thread and suspends the caller until it is done.
    ///
    /// A caller that is cancelled goes on at once with `CancellationError`; work that has begun is not stopped by
    /// that, and what is given to the thread later still waits for it.
    package func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        let outcome = Outcome<Value>()
        line.add {
            if !outcome.isSettled { outcome.settle(Result(catching: work)) }
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { outcome.wait($0) }
        } onCancel: {
            outcome.settle(.failure(CancellationError()))
        }
    }
}

/// How a piece of work ended, or that nobody waits for it any more; whatever comes first.
private final class Outcome<Value: Sendable>: Sendable {
    private struct State {
        var result: Result<Value, any Error>?
        var reader: CheckedContinuation<Value, any Error>?
    }

    private let state = Mutex(State())

    var isSettled: Bool { state.withLock { $0.result != nil } }

    func settle(_ result: Result<Value, any Error>) {
        let reader = state.withLock { state -> CheckedContinuation<Value, any Error>? in
            guard state.result == nil else { return nil }
            state.result = result
            return state.reader.take()
        }
        reader?.resume(with: result)
    }

    func wait(_ reader: CheckedContinuation<Value, any Error>) {
        let result = state.withLock { state in
            if state.result == nil { state.reader = reader }
            return state.result
        }
        if let result { reader.resume(with: result) }
    }
}

/// The work that waits for the thread; nil ends it.
private final class Line: Sendable {
    private let waiting = Mutex<[(@Sendable () -> Void)?]>([])
    private let count = DispatchSemaphore(value: 0)

    func add(_ work: (@Sendable () -> Void)?) {
        waiting.withLock { $0.append(work) }
        count.signal()
    }

    func run() {
        while let work = next() { work() }
    }

    private func next() -> (@Sendable () -> Void)? {
        count.wait()
        return waiting.withLock { $0.removeFirst() }
    }
}
