import ClusterMessages
import Coordination
import Testing
import ZeroMQ

@testable import ClusterRuntime

/// Three rollouts of a real coordinator, one of which computes wrong numbers.
@Suite(.timeLimit(.minutes(1))) struct AuditServiceTests {
    @Test func `a rollout whose result two others contradict is put in quarantine, and people see it`()
        async throws
    {
        try await withRunFolder { folder in
            var run = try TestRun(in: folder)
            run.options.configuration.cluster.auditShare = 1
            try await run.serving { service in
                let wrong = try await TestRollout(run.rollout, of: run, at: service, batches: 1)
                let first = try await wrong.lease()
                let other = try await TestRollout(run.spares[0], of: run, at: service, batches: 2)
                _ = try await other.lease()
                let third = try await TestRollout(run.spares[1], of: run, at: service, batches: 1)
                try await third.waitUntilHeard()

                try await wrong.deliver(first, hash(7))
                let audit = try await third.lease()
                #expect(audit.batch == first.batch)
                #expect(audit.prompts == first.prompts)
                try await third.deliver(audit, hash(8))
                #expect(try await third.release().hash == hash(8))
                let arbitration = try await other.lease()
                #expect(arbitration.batch == first.batch)
                try await other.deliver(arbitration, hash(8))
                #expect(try await wrong.release().hash == hash(7))

                let person = try TestNode(keys: run.person)
                let control = try await person.connect(to: service.controlEndpoint, serverKey: run.serverKey)
                try await person.send(.statusRequest, on: control)
                let status = try await person.next(on: control) { $0.asStatus }
                #expect(status.nodes.map(\.state) == ["quarantined", "alive", "alive"])
                #expect(status.waitingOn.contains { $0.contains("quarantine") })
                for node in [wrong.node, other.node, third.node, person] { await node.close() }
            }
        }
    }
}
