import Checkpoints
import ClusterMessages
import Coordination
import Tensors

/// The last committed round, as far as the next one builds on it.
struct CommittedRound: Sendable {
    let version: ParameterVersion
    let parameters: ParameterBytes
    /// The student's outer momentum; nil for a plain mean and before the first round.
    let velocity: Tensor?
    /// Its checkpoint; the initial parameters have none.
    let checkpoint: StoredCheckpoint?
    /// How long its commit took, where this process made it.
    var times = CommitTimes()

    /// The manifest's hash, by which nodes find the checkpoint.
    var manifestHash: ContentHash? { checkpoint.map { ContentHash($0.manifestHash) } }

    init(
        round: RoundNumber,
        parameters: ParameterBytes,
        velocity: Tensor? = nil,
        checkpoint: StoredCheckpoint? = nil
    ) {
        version = ParameterVersion(round: round, hash: parameters.hash)
        self.parameters = parameters
        self.velocity = velocity
        self.checkpoint = checkpoint
    }
}
