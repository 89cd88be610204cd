import Glibc
import Synchronization

/// Where the lanes of a pool find work: the batch that all of them split, and parts of operations that a busy
/// lane shares with those that are done.
@safe
final class LaneBoard: @unchecked Sendable {
    /// What the lanes agree on, under the mutex.
    @unsafe
    private struct State {
        var mutex = unsafe pthread_mutex_t()
        var changed = pthread_cond_t()
        /// What every lane does with its part of the batch; valid while a batch runs.
        var work: UnsafePointer<(Lane) -> Void>?
        /// Batches so far.
        var batch = 0
        /// Lanes that are done with their part of the batch.
        var doneCount = 0
        var shared: [SharedTask] = []
        var isStopping = false
    }

    private let laneCount: Int
    private let processors: LaneProcessors
    private let state: UnsafeMutablePointer<State>
    /// Lanes that are done and wait for something to help with.
    private let idleCount = Atomic(0)
    /// Rises with every change of the state that an idle lane waits for.
    private let changes = Atomic(0)

    init(laneCount: Int) {
        self.laneCount = laneCount
        processors = LaneProcessors(laneCount: laneCount)
        unsafe state = .allocate(capacity: 1)
        unsafe state.initialize(to: State())
        unsafe pthread_mutex_init(&state.pointee.mutex, nil)
        unsafe pthread_cond_init(&state.pointee.changed, nil)
    }

    deinit {
        unsafe pthread_cond_destroy(&state.pointee.changed)
        unsafe pthread_mutex_destroy(&state.pointee.mutex)
        unsafe state.deinitialize(count: 1)
        unsafe state.deallocate()
    }

    // MARK: - Batches

    /// Runs `work` on every lane at once, `first` on the caller's thread, and returns when all are done.
    func run(on first: Lane, _ work: (Lane) -> Void) {
        processors.bind(lane: first.index)
        defer { processors.release() }
        withoutActuallyEscaping(work) { work in
            unsafe withUnsafePointer(to: work) { pointer in
                lock()
                unsafe state.pointee.work = pointer
                unsafe state.pointee.batch += 1
                unsafe state.pointee.doneCount = 0
                announce()
                let batch = unsafe state.pointee.batch
                unlock()
                unsafe pointer.pointee(first)
                lock()
                finishPart(of: batch, first)
                unsafe state.pointee.work = nil
                unlock()
            }
        }
    }

    /// The life of a lane with a thread of its own: its part of every batch, until the pool goes away.
    func serve(_ lane: Lane) {
        processors.bind(lane: lane.index)
        var seen = 0
        lock()
        while unsafe !state.pointee.isStopping {
            guard unsafe state.pointee.batch != seen, let work = unsafe state.pointee.work else {
                unsafe pthread_cond_wait(&state.pointee.changed, &state.pointee.mutex)
                continue
            }
            unsafe seen = state.pointee.batch
            unlock()
            unsafe perform(work, lane)
            lock()
            finishPart(of: seen, lane)
        }
        unlock()
    }

    /// Apart, so that the lane no longer holds the work once its part is counted as done.
    @inline(never)
    private func perform(_ work: UnsafePointer<(Lane) -> Void>, _ lane: Lane) { unsafe work.pointee(lane) }

    /// Lets the threads of ``serve(_:)`` return.
    func stop() {
        lock()
        unsafe state.pointee.isStopping = true
        announce()
        unlock()
    }

    /// Counts the lane's part as done and helps others until the whole batch is.
    ///
    /// Called under the mutex.
    private func finishPart(of batch: Int, _ lane: Lane) {
        unsafe state.pointee.doneCount += 1
        announce()
        idleCount.add(1, ordering: .relaxed)
        while unsafe state.pointee.batch == batch && state.pointee.doneCount < laneCount {
            if let task = unsafe state.pointee.shared.last(where: \.hasParts) {
                unlock()
                let wasLast = task.work(on: lane.tape.arena)
                lock()
                if wasLast { announce() }
            } else {
                waitForChange()
            }
        }
        idleCount.subtract(1, ordering: .relaxed)
    }

    // MARK: - Shared work

    /// Lanes beside the caller that would take a part of an operation.
    var idleLanes: Int { idleCount.load(ordering: .relaxed) }

    /// Runs `body` over all of `0 ..< count` in `parts` parts, with the help of idle lanes; each part gets the
    /// arena of the lane that computes it.
    func share(
        _ count: Int,
        parts: Int,
        arena: Arena,
        _ body: (Arena, Range<Int>) -> Void
    ) {
        withoutActuallyEscaping(body) { body in
            unsafe withUnsafePointer(to: body) { pointer in
                let task = unsafe SharedTask(count: count, parts: parts, body: pointer)
                lock()
                unsafe state.pointee.shared.append(task)
                announce()
                unlock()
                _ = task.work(on: arena)
                lock()
                unsafe state.pointee.shared.removeAll { $0 === task }
                while !task.isDone { waitForChange() }
                unlock()
            }
        }
    }

    // MARK: - Waiting

    private func lock() { unsafe pthread_mutex_lock(&state.pointee.mutex) }
    private func unlock() { unsafe pthread_mutex_unlock(&state.pointee.mutex) }

    /// Wakes whoever waits for a change; called under the mutex.
    private func announce() {
        changes.add(1, ordering: .releasing)
        unsafe pthread_cond_broadcast(&state.pointee.changed)
    }

    /// Returns after something changed; called under the mutex, and returns under it.
    ///
    /// Operations are short and waking a thread is slow, so a lane looks for a while before it sleeps.
    private func waitForChange() {
        let seen = changes.load(ordering: .acquiring)
        unlock()
        var patience = 4000
        while patience > 0 && changes.load(ordering: .acquiring) == seen { patience -= 1 }
        lock()
        while changes.load(ordering: .acquiring) == seen {
            unsafe pthread_cond_wait(&state.pointee.changed, &state.pointee.mutex)
        }
    }
}
