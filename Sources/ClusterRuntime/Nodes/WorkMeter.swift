import ClusterMessages
import Synchronization

/// What a worker's main line of work does now, and where its time went: what every ping tells.
///
/// The main line is always in exactly one kind of time, so the three sums make up the worker's life.
final class WorkMeter: Sendable {
    /// What time is spent on.
    enum Kind: Sendable {
        case computing, waiting, exchanging
    }

    private struct State {
        var kind = Kind.waiting
        var activity = "waits for the coordinator's welcome"
        var since: ContinuousClock.Instant
        var spent: [Kind: Duration] = [:]
        var progress = 0
        var heldByteCount = 0

        /// Books the time since the last look.
        mutating func settle() {
            let now = ContinuousClock.now
            spent[kind, default: .zero] += since.duration(to: now)
            since = now
        }
    }

    private let state: Mutex<State>

    init() { state = Mutex(State(since: .now)) }

    /// The main line goes over to something else.
    func turn(to kind: Kind, _ activity: String) {
        state.withLock { state in
            state.settle()
            state.kind = kind
            state.activity = activity
        }
    }

    /// Time that something beside the main line took.
    func add(_ duration: Duration, to kind: Kind) {
        state.withLock { $0.spent[kind, default: .zero] += duration }
    }

    /// A piece of work is done: a solved batch, a step, a megabyte moved.
    func progressed() { state.withLock { $0.progress += 1 } }

    /// The node holds so many bytes of trajectories.
    func holds(byteCount: Int) { state.withLock { $0.heldByteCount = byteCount } }

    /// The ping that says all this.
    func ping() -> Message.Ping {
        state.withLock { state in
            state.settle()
            return Message.Ping(
                progress: state.progress,
                heldByteCount: state.heldByteCount,
                activity: state.activity,
                computeTime: state.spent[.computing, default: .zero],
                waitTime: state.spent[.waiting, default: .zero],
                wireTime: state.spent[.exchanging, default: .zero],
                peakMemoryByteCount: peakMemoryByteCount()
            )
        }
    }
}
