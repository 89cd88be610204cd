import Testing

@testable import ZeroMQ

@Suite struct BoundedQueueTests {
    @Test func `what goes in first comes out first, however often it turns over`() {
        var queue = BoundedQueue<Int>(limit: QueueLimit(messageCount: 100, byteCount: 1000))
        var next = 0
        for number in 0..<1000 {
            queue.append(number, byteCount: 3)
            guard number % 3 != 0 else { continue }
            #expect(queue.first == next)
            #expect(queue.popFirst() == next)
            next += 1
        }
        #expect(queue.count == 1000 - next)
        #expect(queue.byteCount == 3 * queue.count)
        while let number = queue.popFirst() {
            #expect(number == next)
            next += 1
        }
        #expect(next == 1000)
        #expect(queue.byteCount == 0)
    }

    @Test func `it is full by messages or by bytes, and has room again at half`() {
        var queue = BoundedQueue<String>(limit: QueueLimit(messageCount: 4, byteCount: 10))
        queue.append("large", byteCount: 10)
        #expect(queue.isFull && !queue.hasRoom)
        _ = queue.popFirst()
        #expect(!queue.isFull && queue.hasRoom)
        for _ in 0..<4 { queue.append("small", byteCount: 1) }
        #expect(queue.isFull)
        _ = queue.popFirst()
        #expect(!queue.isFull && !queue.hasRoom)
        _ = queue.popFirst()
        #expect(queue.hasRoom)
        queue.removeAll()
        #expect(queue.isEmpty && queue.byteCount == 0)
    }
}
