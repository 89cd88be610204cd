import Testing

@testable import ClusterRuntime

struct FaultPlanTests {
    private func plan(_ text: String) throws -> FaultPlan {
        try FaultPlan(environment: ["FLOWSTEER_FAULT": text])
    }

    @Test func `without the variable there is no fault`() throws {
        #expect(try FaultPlan(environment: [:]).faults.isEmpty)
    }

    @Test func `every process gets the next fault of its role, and none when they are used up`() throws {
        var plan = try plan("trainer-before-offer:2,coordinator-after-commit:1,trainer-after-offer:1")
        #expect(plan.next(for: "rollout-1") == nil)
        #expect(plan.next(for: "trainer-1")?.description == "trainer-before-offer:2")
        #expect(plan.next(for: "trainer-2")?.description == "trainer-after-offer:1")
        #expect(plan.next(for: "trainer-1") == nil)
        #expect(plan.next(for: "coordinator")?.description == "coordinator-after-commit:1")
        #expect(plan.next(for: "coordinator") == nil)
    }

    @Test func `every point belongs to a role`() {
        for point in CrashPoint.allCases {
            #expect(["coordinator", "trainer", "rollout"].contains(point.role), "\(point)")
        }
    }

    @Test(arguments: [
        "nowhere:1", "trainer-before-offer", "trainer-before-offer:0", "trainer-before-offer:x", ":1", ":",
        "trainer-before-offer:1:1", "trainer-before-offer:99999999999999999999",
    ])
    func `a text that names no point, or no time, is refused`(text: String) {
        #expect(throws: ConfigurationError.self) { try plan(text) }
    }
}
