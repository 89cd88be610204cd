import Dispatch
import Foundation

/// SIGTERM and SIGINT as values that a task can wait for.
struct StopSignals {
    /// Their numbers, as they come.
    let arrivals: AsyncStream<Int32>
    /// They tell of signals for as long as they live.
    private let sources: [any DispatchSourceSignal]

    /// From now on these signals no longer end the process.
    init() {
        let (arrivals, continuation) = AsyncStream.makeStream(of: Int32.self)
        self.arrivals = arrivals
        sources = [SIGTERM, SIGINT].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler { continuation.yield(number) }
            source.resume()
            return source
        }
    }
}

/// Runs a worker until it ends by itself or the process is told to stop.
///
/// SIGTERM lets it finish what it has begun. SIGINT, any second signal, and the end of the `limit` after the first
/// let it only say goodbye; what it has begun goes to others then.
func untilDrained(
    within limit: Duration,
    _ work: @escaping @Sendable () async throws -> Void,
    drain: @escaping @Sendable () async -> Void
) async throws {
    let signals = StopSignals()
    defer { withExtendedLifetime(signals) {} }
    let arrivals = signals.arrivals
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await work() }
        group.addTask {
            var first: Int32?
            for await number in arrivals {
                first = number
                break
            }
            guard first == SIGTERM else { return }
            await drain()
            try await withThrowingTaskGroup(of: Void.self) { patience in
                patience.addTask { for await _ in arrivals { return } }
                patience.addTask { try await Task.sleep(for: limit) }
                try await patience.endWithFirst()
            }
        }
        try await group.endWithFirst()
    }
}

/// Runs a process until it ends by itself or is told to stop.
package func untilStopped(_ work: @escaping @Sendable () async throws -> Void) async throws {
    let signals = StopSignals()
    defer { withExtendedLifetime(signals) {} }
    let arrivals = signals.arrivals
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await work() }
        group.addTask { for await _ in arrivals { return } }
        try await group.endWithFirst()
    }
}
