/// One result a lane, or a piece of work: each place is written by one lane, and the owner reads them when all are done.
@safe
package final class LaneResults<Value>: @unchecked Sendable {
    private let base: UnsafeMutablePointer<Value>
    private let count: Int

    package init(repeating value: Value, count: Int) {
        unsafe base = .allocate(capacity: count)
        unsafe base.initialize(repeating: value, count: count)
        self.count = count
    }

    deinit {
        unsafe base.deinitialize(count: count)
        unsafe base.deallocate()
    }

    /// The place of a lane; only that lane touches it while lanes run.
    package subscript(lane: Int) -> Value {
        get {
            precondition((0..<count).contains(lane), "lane \(lane) of \(count)")
            return unsafe base[lane]
        }
        set {
            precondition((0..<count).contains(lane), "lane \(lane) of \(count)")
            unsafe base[lane] = newValue
        }
    }

    /// All results, in lane order.
    package var values: [Value] { (0..<count).map { self[$0] } }
}
