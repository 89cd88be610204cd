import Glibc

/// A thread's own workspace: its number among the lanes and the tape it computes on.
package final class Lane: @unchecked Sendable {
    package let index: Int
    package let tape = Tape()

    init(index: Int) { self.index = index }
}

/// Threads that split a batch between them, each with its own tape and arena.
///
/// Lanes are plain threads, never Swift's cooperative pool: a long product there would keep heartbeats from
/// running. The caller's thread works as the first lane, so one lane starts no thread at all. A pool serves
/// one caller at a time.
@safe
package final class LanePool: @unchecked Sendable {
    package let lanes: [Lane]
    private let work: UnsafeMutablePointer<LaneWork>
    private var threads: [pthread_t] = []

    /// - Parameter count: lanes; more than cores only cost memory.
    package init(count: Int) {
        precondition(count >= 1, "a pool needs at least one lane, got \(count)")
        setProductThreadCount(1)
        lanes = (0..<count).map(Lane.init(index:))
        unsafe work = .allocate(capacity: 1)
        unsafe work.initialize(to: LaneWork())
        unsafe pthread_mutex_init(&work.pointee.mutex, nil)
        unsafe pthread_cond_init(&work.pointee.changed, nil)
        for lane in lanes.dropFirst() {
            let start = unsafe Unmanaged.passRetained(LaneStart(lane: lane, work: work)).toOpaque()
            var thread = pthread_t()
            let result = unsafe pthread_create(&thread, nil, runLane, start)
            precondition(result == 0, "the system starts a thread for a lane, error \(result)")
            threads.append(thread)
        }
    }

    deinit {
        unsafe pthread_mutex_lock(&work.pointee.mutex)
        unsafe work.pointee.isStopping = true
        unsafe pthread_cond_broadcast(&work.pointee.changed)
        unsafe pthread_mutex_unlock(&work.pointee.mutex)
        for thread in threads { pthread_join(thread, nil) }
        unsafe pthread_cond_destroy(&work.pointee.changed)
        unsafe pthread_mutex_destroy(&work.pointee.mutex)
        unsafe work.deinitialize(count: 1)
        unsafe work.deallocate()
    }

    /// Splits `0 ..< count` into one contiguous share a lane and runs `body` on all lanes at once.
    ///
    /// Shares differ by at most one and depend only on `count` and the number of lanes. With fewer than one a
    /// lane, the first lane takes all and the others help inside its operations. Returns when all are done.
    package func forEachShare(of count: Int, _ body: (Lane, Range<Int>) -> Void) {
        guard count >= lanes.count || lanes.count == 1 else {
            lanes[0].tape.helpers = self
            defer { lanes[0].tape.helpers = nil }
            return body(lanes[0], 0..<count)
        }
        run { lane in body(lane, lane.share(of: count, among: lanes.count)) }
    }

    /// Like ``forEachShare(of:_:)``, with each lane's share in even pieces of at most `size`, one after another.
    package func forEachShare(of count: Int, inPiecesOf size: Int, _ body: (Lane, Range<Int>) -> Void) {
        precondition(size >= 1, "a piece holds at least one, got \(size)")
        forEachShare(of: count) { lane, share in
            let pieces = (share.count + size - 1) / size
            for piece in 0..<pieces {
                let start = share.lowerBound + piece * share.count / pieces
                body(lane, start..<share.lowerBound + (piece + 1) * share.count / pieces)
            }
        }
    }

    /// Runs `body` on every lane at once, the first on the caller's thread, and returns when all are done.
    func run(_ body: (Lane) -> Void) {
        withoutActuallyEscaping(body) { task in
            unsafe pthread_mutex_lock(&work.pointee.mutex)
            unsafe work.pointee.task = task
            unsafe work.pointee.running = threads.count
            unsafe work.pointee.generation += 1
            unsafe pthread_cond_broadcast(&work.pointee.changed)
            unsafe pthread_mutex_unlock(&work.pointee.mutex)
            task(lanes[0])
            unsafe pthread_mutex_lock(&work.pointee.mutex)
            while unsafe work.pointee.running > 0 {
                unsafe pthread_cond_wait(&work.pointee.changed, &work.pointee.mutex)
            }
            unsafe work.pointee.task = nil
            unsafe pthread_mutex_unlock(&work.pointee.mutex)
        }
    }
}

extension Lane {
    /// A lane's contiguous share of `0 ..< count`.
    func share(of count: Int, among lanes: Int) -> Range<Int> {
        index * count / lanes..<(index + 1) * count / lanes
    }
}

/// What the lanes of a pool share, under its mutex.
@unsafe
private struct LaneWork {
    var mutex = unsafe pthread_mutex_t()
    var changed = pthread_cond_t()
    var task: ((Lane) -> Void)?
    var generation = 0
    var running = 0
    var isStopping = false
}

@safe
private final class LaneStart {
    let lane: Lane
    let work: UnsafeMutablePointer<LaneWork>

    init(lane: Lane, work: UnsafeMutablePointer<LaneWork>) {
        self.lane = lane
        unsafe self.work = work
    }
}

private func runLane(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument = unsafe argument else { return nil }
    let start = unsafe Unmanaged<LaneStart>.fromOpaque(argument).takeRetainedValue()
    let work = unsafe start.work
    var seen = 0
    unsafe pthread_mutex_lock(&work.pointee.mutex)
    while unsafe !work.pointee.isStopping {
        if unsafe work.pointee.generation == seen {
            unsafe pthread_cond_wait(&work.pointee.changed, &work.pointee.mutex)
            continue
        }
        unsafe seen = work.pointee.generation
        let task = unsafe work.pointee.task
        unsafe pthread_mutex_unlock(&work.pointee.mutex)
        task?(start.lane)
        unsafe pthread_mutex_lock(&work.pointee.mutex)
        unsafe work.pointee.running -= 1
        unsafe pthread_cond_broadcast(&work.pointee.changed)
    }
    unsafe pthread_mutex_unlock(&work.pointee.mutex)
    return nil
}
