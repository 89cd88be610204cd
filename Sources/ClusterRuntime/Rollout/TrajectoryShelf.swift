import ClusterMessages
import Synchronization

/// The trajectories a rollout holds until the coordinator releases them.
final class TrajectoryShelf: HeldByHash {
    /// One solved batch.
    struct Item: Sendable {
        let batch: BatchID
        let fence: Fence
        let trajectories: SolvedTrajectories
        let elapsed: Duration

        /// How the coordinator is told of it.
        var ready: Message.TrajectoryReady {
            Message.TrajectoryReady(
                batch: batch,
                fence: fence,
                hash: trajectories.hash,
                byteCount: trajectories.byteCount,
                teacherEvaluationCount: trajectories.evaluationCount,
                elapsed: elapsed
            )
        }
    }

    private let items = Mutex<[BatchID: Item]>([:])

    /// Keeps a batch.
    func put(_ item: Item) { items.withLock { $0[item.batch] = item } }

    /// The item of a batch.
    func item(of batch: BatchID) -> Item? { items.withLock { $0[batch] } }

    func holding(_ hash: ContentHash) -> (any HeldBytes)? {
        items.withLock { items in items.values.first { $0.trajectories.hash == hash }?.trajectories }
    }

    /// Drops a batch, if these are its bytes.
    func release(_ batch: BatchID, _ hash: ContentHash) {
        items.withLock { items in
            if items[batch]?.trajectories.hash == hash { items[batch] = nil }
        }
    }

    /// Everything held, in order of batch.
    var all: [Item] { items.withLock { $0.values.sorted { $0.batch < $1.batch } } }

    var byteCount: Int { items.withLock { $0.values.reduce(0) { $0 + $1.trajectories.byteCount } } }
}
