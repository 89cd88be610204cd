import Dispatch
import Foundation
import Synchronization
import Testing

@testable import ClusterRuntime

struct ComputeThreadTests {
    @Test func `long work keeps no thread from other tasks`() async throws {
        // More pieces of work that stand still than the pool of tasks has threads.
        let count = ProcessInfo.processInfo.activeProcessorCount + 2
        let threads = (0..<count).map { ComputeThread(name: "test-\($0)") }
        let permission = DispatchSemaphore(value: 0)
        async let finished = withThrowingTaskGroup(of: Int.self) { group in
            for (index, thread) in threads.enumerated() {
                group.addTask {
                    try await thread.run {
                        permission.wait()
                        return index
                    }
                }
            }
            return try await group.reduce(0, +)
        }
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<1000 { group.addTask { await Task.yield() } }
        }
        for _ in threads { permission.signal() }
        #expect(try await finished == count * (count - 1) / 2)
    }

    @Test func `all work runs on one thread`() async throws {
        let thread = ComputeThread(name: "test")
        let threads = try await withThrowingTaskGroup(of: ObjectIdentifier.self) { group in
            for _ in 0..<8 {
                group.addTask { try await thread.run { ObjectIdentifier(Thread.current) } }
            }
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(threads.count == 1)
    }

    @Test func `a cancelled caller goes on at once and later work waits for what has begun`() async throws {
        let thread = ComputeThread(name: "test")
        let permission = DispatchSemaphore(value: 0)
        let (beginnings, begun) = AsyncStream.makeStream(of: Void.self)
        let done = Mutex(false)
        let caller = Task {
            try await thread.run {
                begun.yield()
                permission.wait()
                done.withLock { $0 = true }
            }
        }
        for await _ in beginnings { break }
        caller.cancel()
        await #expect(throws: CancellationError.self) { try await caller.value }
        #expect(!done.withLock { $0 })
        permission.signal()
        #expect(try await thread.run { done.withLock { $0 } })
    }

    @Test func `an error of the work reaches the caller`() async {
        let thread = ComputeThread(name: "test")
        await #expect(throws: NodeError.local("no")) { try await thread.run { throw NodeError.local("no") } }
    }
}
