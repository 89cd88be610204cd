package import ClusterMessages

/// A node as the ledger's file remembers it, so that it keeps its number, and so its place in every sum.
package struct KnownNode: Sendable, Equatable {
    /// Its number.
    package let id: NodeID
    /// Public key and role, in the runtime's spelling.
    package let identity: String
    /// Rollout or trainer.
    package let role: Role
    /// What people call it.
    package let name: String

    /// A row of the ledger's file.
    package init(id: NodeID, identity: String, role: Role, name: String) {
        self.id = id
        self.identity = identity
        self.role = role
        self.name = name
    }
}

/// Everything durable a coordinator starts from; all else is learnt from the nodes' hellos.
///
/// Leases, trajectories and the uses of an open round are not written down: nodes report them, and what
/// nobody reports is done again.
package struct RunSnapshot: Sendable, Equatable {
    /// How many coordinators of this run came before; written down before the first message is sent.
    package var generation: UInt32
    /// Every node ever met.
    package var nodes: [KnownNode]
    /// The last committed round, or the initial parameters.
    package var parameters: ParameterVersion
    /// The data cursor of the last committed plan; batches beyond it were issued in vain.
    package var issued: UInt64
    /// Every batch that a committed plan used.
    package var committed: [BatchID]
    /// Every buried batch.
    package var dead: [BatchID]
    /// The trainers whose offers are in the last committed round.
    package var contributors: [NodeID]

    /// The state at the start of a run.
    package init(
        generation: UInt32 = 0,
        nodes: [KnownNode] = [],
        parameters: ParameterVersion,
        issued: UInt64 = 0,
        committed: [BatchID] = [],
        dead: [BatchID] = [],
        contributors: [NodeID] = []
    ) {
        self.generation = generation
        self.nodes = nodes
        self.parameters = parameters
        self.issued = issued
        self.committed = committed
        self.dead = dead
        self.contributors = contributors
    }

    /// Whether an earlier coordinator may have left work with the nodes.
    var isRestart: Bool { generation > 0 }
}
