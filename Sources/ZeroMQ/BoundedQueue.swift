/// How much a queue may hold before it counts as full.
package struct QueueLimit: Sendable, Equatable {
    /// Messages; at least 1.
    package let messageCount: Int
    /// Bytes of all frames; a queue goes over it by at most one message.
    package let byteCount: Int

    package init(messageCount: Int, byteCount: Int) {
        precondition(
            messageCount >= 1 && byteCount >= 1,
            "a queue holds something: \(messageCount) messages, \(byteCount) bytes"
        )
        self.messageCount = messageCount
        self.byteCount = byteCount
    }
}

/// A first-in first-out queue that knows when it is full; the owner decides what follows from that.
struct BoundedQueue<Element> {
    let limit: QueueLimit
    private(set) var byteCount = 0
    private var items: [(element: Element, byteCount: Int)?] = []
    private var head = 0

    init(limit: QueueLimit) { self.limit = limit }

    var count: Int { items.count - head }
    var isEmpty: Bool { count == 0 }
    var isFull: Bool { count >= limit.messageCount || byteCount >= limit.byteCount }
    /// Half empty or more: a paused producer goes on here, so that it is not woken for each message.
    var hasRoom: Bool { count * 2 <= limit.messageCount && byteCount * 2 <= limit.byteCount }
    var first: Element? { isEmpty ? nil : items[head]?.element }

    mutating func append(_ element: Element, byteCount: Int) {
        items.append((element, byteCount))
        self.byteCount += byteCount
    }

    mutating func popFirst() -> Element? {
        guard !isEmpty, let item = items[head] else { return nil }
        items[head] = nil
        head += 1
        byteCount -= item.byteCount
        if head * 2 >= items.count {
            items.removeFirst(head)
            head = 0
        }
        return item.element
    }

    mutating func removeAll() {
        items.removeAll()
        head = 0
        byteCount = 0
    }
}
