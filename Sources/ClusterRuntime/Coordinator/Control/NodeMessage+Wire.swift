import ClusterMessages
import Coordination
import ZeroMQ

extension NodeMessage {
    /// What a node's message on the control plane means for decisions; nil for a kind of another plane.
    init?(_ message: Message) {
        switch message {
        case .ping(let ping):
            self = .ping(progress: UInt64(clamping: ping.progress))
        case .stepReport, .announce:
            self = .other
        case .workCredit(let credit):
            self = .credit(CreditWindow(batches: credit.batchCount, byteCount: credit.byteCount))
        case .trajectoryReady(let ready):
            self = .produced(ready.batch, ready.fence, ready.hash, byteCount: ready.byteCount)
        case .leaseFailed(let failed):
            self = .leaseFailed(
                failed.batch,
                failed.fence,
                failed.code,
                retryable: failed.isRetryable,
                failed.text
            )
        case .consumed(let consumed):
            self = .consumed(
                Consumption(
                    batch: consumed.batch,
                    hash: consumed.hash,
                    round: consumed.round,
                    samples: consumed.sampleCount,
                    use: consumed.useCount
                )
            )
        case .fetchFailed(let failed):
            self = .fetchFailed(failed.batch, failed.hash, holder: failed.holder, failed.code)
        case .ringShare(let share):
            self = .shared(
                RingShare(hash: share.hash, byteCount: share.byteCount, squares: share.squaredDistances),
                ring: share.ring
            )
        case .ringFailed(let failed):
            self = .ringFailed(failed.ring, "\(failed.code): \(failed.text)")
        case .goodbye(let goodbye):
            self = .goodbye(goodbye.reason)
        default:
            return nil
        }
    }
}

extension Arrival {
    /// What a hello says.
    init(_ hello: Message.Hello, _ visit: Visit) {
        let identity = visit.key.map { "\($0.text) \(hello.role)" } ?? "insecure \(hello.role) \(hello.name)"
        self.init(
            identity: identity,
            name: hello.name,
            role: hello.role,
            incarnation: visit.header.incarnation,
            sequence: visit.header.sequence
        )
        teacher = hello.teacherHash
        machine = hello.machine
        parameters = hello.parameterHash.map { ParameterVersion(round: hello.round, hash: $0) }
        leases = hello.heldLeases.map { .init(batch: $0.batch, fence: $0.fence) }
        trajectories = hello.heldTrajectories.map {
            .init(batch: $0.batch, hash: $0.hash, byteCount: $0.byteCount)
        }
    }
}

extension OperatorCommand {
    /// What a person's message commands.
    init(_ command: Message.Command) {
        switch command.action {
        case .pause: self = .pause
        case .resume: self = .resume
        case .drain: self = command.node.map { .drainNode($0) } ?? .drain
        case .checkpoint: self = .checkpoint
        }
    }
}
