import Dispatch
import Foundation
import Synchronization

/// Notices that a person wants the test to come to its end: SIGINT or SIGTERM was sent to its process, which that would
/// else end.
final class StopRequest {
    private final class Flag: Sendable {
        let isRaised = Mutex(false)
    }

    private static let numbers = [SIGINT, SIGTERM]
    private let flag = Flag()
    private let sources: [any DispatchSourceSignal]

    init() {
        sources = Self.numbers.map { [flag] number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler { flag.isRaised.withLock { $0 = true } }
            source.resume()
            return source
        }
    }

    /// From now on the signals end the process again.
    deinit {
        for source in sources { source.cancel() }
        for number in Self.numbers { signal(number, SIG_DFL) }
    }

    var isMade: Bool { flag.isRaised.withLock(\.self) }
}
