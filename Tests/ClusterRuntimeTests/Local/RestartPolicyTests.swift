import Testing

@testable import ClusterRuntime

struct RestartPolicyTests {
    @Test func `a killed process is started again`() {
        var policy = RestartPolicy()
        #expect(policy.decide(.killed(signal: 9), at: .zero) == .restart)
        #expect(policy.decide(.exited(69), at: .seconds(1)) == .restart)
    }

    @Test func `a process that did its work is left alone`() {
        var policy = RestartPolicy()
        #expect(policy.decide(.exited(0), at: .zero) == .leave)
    }

    @Test(arguments: [64, 65, 77, 78] as [Int32])
    func `an exit that would repeat itself ends the run`(code: Int32) throws {
        var policy = RestartPolicy()
        let exit = try #require(ProcessExit(rawValue: code))
        #expect(policy.decide(.exited(code), at: .zero) == .fail(exit))
    }

    @Test func `a process that dies at once again and again is given up, one that dies now and then is not`()
    {
        var hasty = RestartPolicy()
        for second in 0..<5 { #expect(hasty.decide(.killed(signal: 11), at: .seconds(second)) == .restart) }
        #expect(hasty.decide(.killed(signal: 11), at: .seconds(6)) == .giveUp(restarts: 5))
        var steady = RestartPolicy()
        for minute in 0..<20 {
            #expect(steady.decide(.killed(signal: 9), at: .seconds(60 * minute)) == .restart)
        }
    }
}
