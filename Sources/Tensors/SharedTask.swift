import Synchronization

/// A piece of work inside an operation, cut into parts that lanes take one after another.
@safe
final class SharedTask: @unchecked Sendable {
    private let count: Int
    private let parts: Int
    /// Valid until all parts are done; the lane that shares the work waits for that.
    private let body: UnsafePointer<(Arena, Range<Int>) -> Void>
    private let taken = Atomic(0)
    private let done = Atomic(0)

    init(count: Int, parts: Int, body: UnsafePointer<(Arena, Range<Int>) -> Void>) {
        self.count = count
        self.parts = parts
        unsafe self.body = body
    }

    var hasParts: Bool { taken.load(ordering: .relaxed) < parts }
    var isDone: Bool { done.load(ordering: .acquiring) == parts }

    /// Computes parts until none is left; true for the lane that did the last one.
    func work(on arena: Arena) -> Bool {
        while true {
            let part = taken.add(1, ordering: .relaxed).oldValue
            guard part < parts else { return false }
            compute(part * count / parts..<(part + 1) * count / parts, on: arena)
            if done.add(1, ordering: .acquiringAndReleasing).newValue == parts { return true }
        }
    }

    /// Apart, so that nobody holds the body once its last part is done.
    @inline(never)
    private func compute(_ range: Range<Int>, on arena: Arena) { unsafe body.pointee(arena, range) }
}
