import Checkpoints
import ClusterMessages
import Synchronization

/// The checkpoints that a node fetched and serves to others.
final class CheckpointShelf: Sendable {
    private struct Contents {
        var files = ChunkSource()
        var newest: Message.Announce?
    }

    private let contents = Mutex(Contents())

    /// What the coordinator is told of it.
    var newest: Message.Announce? { contents.withLock(\.newest) }

    /// Serves the checkpoints of a store and no others from now on; one that cannot be read is left out.
    func serve(_ store: CheckpointStore) throws(CheckpointError) {
        var contents = Contents()
        for round in try store.rounds() {
            do throws(CheckpointError) {
                let checkpoint = try store.checkpoint(ofRound: round)
                try contents.files.add(checkpoint)
                let hash = ContentHash(checkpoint.manifestHash)
                contents.newest = Message.Announce(round: RoundNumber(round), manifestHash: hash)
            } catch {
                continue
            }
        }
        self.contents.withLock { $0 = contents }
    }

    /// What is said to a request for a part of a file.
    func answers(to request: Message.ChunkRequest) -> [Message] {
        contents.withLock(\.files).answers(to: request)
    }
}
