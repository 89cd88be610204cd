import ClusterMessages
import Logging

/// The main line of a rollout.
extension RolloutWorker {
    func solveLeases() async throws {
        while true {
            if isDone { return }
            guard let lease = queue.first, let solver else {
                meter.turn(to: .waiting, idleReason)
                _ = try await news.next(within: .seconds(1))
                continue
            }
            meter.turn(to: .computing, "solves batch \(lease.batch), \(lease.prompts.count) samples")
            let start = ContinuousClock.now
            do {
                let solved = try await compute.run { try solver.solve(lease) }
                end(lease, with: solved, after: start.duration(to: .now))
            } catch let error as NodeError {
                fail(lease, error)
            }
        }
    }

    private var idleReason: String {
        if solver == nil { return "waits for the coordinator's welcome, then for the teacher" }
        if isDraining { return "waits until trainers have its \(shelf.all.count) batches, then leaves" }
        return "waits for a lease"
    }

    private func end(_ lease: Message.Lease, with solved: SolvedTrajectories, after elapsed: Duration) {
        let fence = queue.end(lease.batch)?.fence ?? lease.fence
        let item = TrajectoryShelf.Item(
            batch: lease.batch,
            fence: fence,
            trajectories: solved,
            elapsed: elapsed
        )
        shelf.put(item)
        meter.progressed()
        stock()
        reached(.rolloutAfterSolving)
        connection.post(.trajectoryReady(item.ready))
    }

    private func fail(_ lease: Message.Lease, _ error: NodeError) {
        let fence = queue.end(lease.batch)?.fence ?? lease.fence
        stock()
        log.error("batch \(lease.batch) failed: \(error)")
        connection.post(
            .leaseFailed(
                .init(
                    batch: lease.batch,
                    fence: fence,
                    code: error.code,
                    // The solve is a pure function of the lease: another node would fail like this one.
                    isRetryable: false,
                    text: error.description
                )
            )
        )
    }
}
