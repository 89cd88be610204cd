import ClusterMessages
import Tensors

/// What a node has, as its next hello tells it; a coordinator that was restarted learns everything from it.
struct NodeInventory: Sendable, Equatable {
    /// The hash of the teacher it has loaded.
    var teacher: ContentHash?
    /// Where a rollout serves trajectories, or a trainer what a ring needs, and under which key.
    var servingEndpoint: String?
    var servingPublicKey: String?
    /// Batches it works on at once.
    var batchCapacity = 1
    /// Leases it works on.
    var leases: [Message.HeldLease] = []
    /// Trajectories it serves.
    var trajectories: [Message.HeldTrajectory] = []
    /// The parameters it has loaded.
    var round = RoundNumber.initial
    var parameterHash: ContentHash?
    /// The kind of processor and kernels it computes with.
    var machine = ProcessorKind.present

    /// The most trajectories a hello lists; those beyond are told one by one after the welcome.
    private static let trajectoryLimit = 8192

    /// The hello of a node of this role and name.
    func hello(role: Role, name: String) -> Message.Hello {
        Message.Hello(
            role: role,
            name: name,
            protocolVersions: MessageHeader.supportedVersions,
            build: "flowsteer",
            teacherHash: teacher,
            trajectoriesEndpoint: servingEndpoint,
            trajectoriesPublicKey: servingPublicKey,
            batchCapacity: batchCapacity,
            heldLeases: leases,
            heldTrajectories: Array(trajectories.prefix(Self.trajectoryLimit)),
            round: round,
            parameterHash: parameterHash,
            machine: machine
        )
    }
}
