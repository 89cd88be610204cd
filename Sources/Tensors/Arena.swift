/// Memory for the activations of one step, handed out by moving a cursor and taken back all at once.
///
/// After the first steps an arena owns one slab large enough for a step, and a step asks the system for
/// nothing. Tensors of an arena are valid until ``reset()`` or the release of a mark taken before them.
package final class Arena {
    private var slabs: [Storage] = []
    /// How far each slab was ever handed out.
    private var ends: [Int] = []
    private var slab = 0
    private var cursor = 0

    /// Floats held, in all slabs.
    package var capacity: Int { slabs.reduce(0) { $0 + $1.count } }
    /// Floats handed out, slabs before the current one counted whole.
    package var usedCount: Int { slabs.prefix(slab).reduce(0) { $0 + $1.count } + cursor }
    /// The most floats handed out at once since slabs were joined; what a slab holds beyond is never written, and
    /// takes no memory.
    package private(set) var peakCount = 0
    /// How often the arena had to ask the system for memory; constant once a step's shapes repeat.
    package private(set) var growthCount = 0

    package init() {}

    /// A place in the arena; releasing it frees everything allocated since.
    package struct Mark {
        fileprivate let slab: Int
        fileprivate let cursor: Int
    }

    package var mark: Mark { Mark(slab: slab, cursor: cursor) }

    /// Takes back everything allocated after `mark`.
    package func release(to mark: Mark) {
        slab = mark.slab
        cursor = mark.cursor
    }

    /// Lends a tensor of `count` elements, not set yet, to `body`.
    func scratch(_ count: Int, _ body: (Tensor) -> Void) {
        let place = mark
        body(allocate([count]))
        release(to: place)
    }

    /// Takes back everything, and joins the slabs of a step that outgrew the first into one.
    package func reset() {
        if slabs.count > 1 {
            let total = capacity
            slabs = []
            slabs = [Storage(uninitialized: total)]
            ends = [0]
            peakCount = 0
            growthCount += 1
        }
        slab = 0
        cursor = 0
    }

    /// A tensor whose elements are not set yet.
    func allocate(_ shape: [Int]) -> Tensor {
        // Rows of 16 floats keep every tensor on a cache line of its own.
        let needed = (shape.reduce(1, *) + 15) & ~15
        while slab < slabs.count, cursor + needed > slabs[slab].count {
            slab += 1
            cursor = 0
        }
        if slab == slabs.count {
            slabs.append(Storage(uninitialized: max(needed, max(1 << 20, capacity / 2))))
            ends.append(0)
            growthCount += 1
        }
        let start = cursor
        cursor += needed
        if cursor > ends[slab] {
            ends[slab] = cursor
            peakCount = max(peakCount, ends.reduce(0, +))
        }
        return Tensor(shape: shape, storage: slabs[slab], offset: start)
    }
}
