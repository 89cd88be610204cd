import Foundation
import TestSupport
import Testing

@testable import ZeroMQ

@Suite struct ServiceManagerTests {
    @Test func `the manager reads what it is told, at a file's name and at another`() throws {
        let name = "flowsteer-manager-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        defer { try? FileManager.default.removeItem(atPath: "/tmp/\(name)") }
        try manager(at: "/tmp/\(name)")
        try manager(at: "@\(name)")
    }

    private func manager(at address: String) throws {
        let manager = try #require(ServiceManager(environment: ["NOTIFY_SOCKET": address]))
        manager.tell("READY=1")  // Nobody is there yet: nothing waits, nothing fails.
        let socket = try DatagramSocket(at: address)
        manager.tell("READY=1", "STATUS=trains")
        #expect(socket.receive() == "READY=1\nSTATUS=trains")
        #expect(socket.receive() == nil)
        for _ in 0..<1_000 { manager.tell("WATCHDOG=1") }
        #expect(socket.receive() == "WATCHDOG=1", "a full queue stops nobody")
    }

    @Test func `nobody is told where nobody asked`() {
        #expect(ServiceManager(environment: [:]) == nil)
        #expect(ServiceManager(environment: ["NOTIFY_SOCKET": "relative"]) == nil)
        #expect(
            ServiceManager(environment: ["NOTIFY_SOCKET": "/" + String(repeating: "a", count: 107)]) == nil
        )
    }

    @Test func `a watchdog of another process is none of ours`() {
        let asked = ["NOTIFY_SOCKET": "@manager", "WATCHDOG_USEC": "30000000"]
        #expect(ServiceManager(environment: asked)?.watchdog == .seconds(30))
        let ours = asked.merging(["WATCHDOG_PID": "\(getpid())"]) { $1 }
        #expect(ServiceManager(environment: ours)?.watchdog == .seconds(30))
        let other = asked.merging(["WATCHDOG_PID": "1"]) { $1 }
        #expect(ServiceManager(environment: other)?.watchdog == nil)
        #expect(ServiceManager(environment: other) != nil)
        let none = asked.merging(["WATCHDOG_USEC": "0"]) { $1 }
        #expect(ServiceManager(environment: none)?.watchdog == nil)
    }

    @Test func `signs of life come four times in the silence that is borne`() {
        let start = ContinuousClock.now
        var signs = SignsOfLife(
            to: ServiceManager(environment: ["NOTIFY_SOCKET": "@nobody", "WATCHDOG_USEC": "4000000"]),
            now: start
        )
        let given = [0, 900, 1_000, 1_999, 2_100].map { signs.give(now: start + .milliseconds($0)) }
        #expect(given == [true, false, true, false, true])
        var unwatched = SignsOfLife(to: ServiceManager(environment: ["NOTIFY_SOCKET": "@nobody"]), now: start)
        let isTold = unwatched.give(now: start)
        #expect(!isTold)
    }
}
