extension Message {
    /// What a node says first; nothing is heard from it before.
    package struct Hello: Sendable, Hashable {
        /// What the node is.
        package let role: Role
        /// What people call the node; unique in the cluster.
        package let name: String
        /// The versions of the protocol the node speaks.
        package let protocolVersions: ClosedRange<UInt32>
        /// The program's version, for people.
        package let build: String
        /// The teacher the node has loaded; nil for an operator.
        package let teacherHash: ContentHash?
        /// Where a rollout serves trajectories, `tcp://host:port`; nil for other roles.
        package let trajectoriesEndpoint: String?
        /// The key it serves them under; nil for other roles and without encryption.
        package let trajectoriesPublicKey: String?
        /// Batches the node can hold at once.
        package let batchCapacity: Int
        /// Leases of a former session it still works on.
        package let heldLeases: [HeldLease]
        /// Trajectories it still serves.
        package let heldTrajectories: [HeldTrajectory]
        /// The newest parameters it has, where `parameterHash` is not nil.
        package let round: RoundNumber
        /// The hash of those parameters; nil for a node that has none.
        package let parameterHash: ContentHash?
        /// The kind of processor and kernels it computes with: nodes of one kind make equal bytes.
        package let machine: String

        /// A message of these fields.
        package init(
            role: Role,
            name: String,
            protocolVersions: ClosedRange<UInt32>,
            build: String,
            teacherHash: ContentHash?,
            trajectoriesEndpoint: String?,
            trajectoriesPublicKey: String?,
            batchCapacity: Int,
            heldLeases: [HeldLease],
            heldTrajectories: [HeldTrajectory],
            round: RoundNumber,
            parameterHash: ContentHash?,
            machine: String = ""
        ) {
            self.role = role
            self.name = name
            self.protocolVersions = protocolVersions
            self.build = build
            self.teacherHash = teacherHash
            self.trajectoriesEndpoint = trajectoriesEndpoint
            self.trajectoriesPublicKey = trajectoriesPublicKey
            self.batchCapacity = batchCapacity
            self.heldLeases = heldLeases
            self.heldTrajectories = heldTrajectories
            self.round = round
            self.parameterHash = parameterHash
            self.machine = machine
        }
    }

    /// A lease a node still works on, or returns.
    package struct HeldLease: Sendable, Hashable {
        /// The leased batch.
        package let batch: BatchID
        /// The lease's fence.
        package let fence: Fence

        /// A message of these fields.
        package init(batch: BatchID, fence: Fence) {
            self.batch = batch
            self.fence = fence
        }
    }

    /// A batch of trajectories a rollout still serves.
    package struct HeldTrajectory: Sendable, Hashable {
        /// The produced batch.
        package let batch: BatchID
        /// The hash of its bytes.
        package let hash: ContentHash
        /// How many bytes they are.
        package let byteCount: Int

        /// A message of these fields.
        package init(batch: BatchID, hash: ContentHash, byteCount: Int) {
            self.batch = batch
            self.hash = hash
            self.byteCount = byteCount
        }
    }

    /// The coordinator's answer to a hello it accepts; epoch and incarnation are those of the header.
    package struct Welcome: Sendable, Hashable {
        /// The number the node has from now on.
        package let node: NodeID
        /// What the node's headers carry from now on.
        package let token: SessionToken
        /// The run's resolved configuration, YAML.
        package let configuration: String
        /// How often the node pings; whole milliseconds.
        package let pingInterval: Duration
        /// After how much silence it is dead; whole milliseconds.
        package let deadInterval: Duration
        /// Where trainers offer parameters.
        package let averagingEndpoint: String
        /// Where manifests and files are fetched.
        package let checkpointEndpoint: String
        /// Where new checkpoints are announced.
        package let announcementEndpoint: String
        /// The coordinator's key on these endpoints; nil without encryption.
        package let serverPublicKey: String?
        /// The newest committed round.
        package let latestRound: RoundNumber
        /// The manifest of its checkpoint; nil before the first.
        package let manifestHash: ContentHash?
        /// Whom a rollout serves.
        package let trainerPublicKeys: [String]
        /// The hash of the newest committed parameters; nil from a coordinator that does not say.
        package let parameterHash: ContentHash?

        /// A message of these fields.
        package init(
            node: NodeID,
            token: SessionToken,
            configuration: String,
            pingInterval: Duration,
            deadInterval: Duration,
            averagingEndpoint: String,
            checkpointEndpoint: String,
            announcementEndpoint: String,
            serverPublicKey: String?,
            latestRound: RoundNumber,
            manifestHash: ContentHash?,
            trainerPublicKeys: [String],
            parameterHash: ContentHash? = nil
        ) {
            self.node = node
            self.token = token
            self.configuration = configuration
            self.pingInterval = pingInterval
            self.deadInterval = deadInterval
            self.averagingEndpoint = averagingEndpoint
            self.checkpointEndpoint = checkpointEndpoint
            self.announcementEndpoint = announcementEndpoint
            self.serverPublicKey = serverPublicKey
            self.latestRound = latestRound
            self.manifestHash = manifestHash
            self.trainerPublicKeys = trainerPublicKeys
            self.parameterHash = parameterHash
        }
    }

    /// The coordinator's answer to a hello or command it does not accept.
    package struct Refuse: Sendable, Hashable {
        /// Why, for the program.
        package let code: ErrorCode
        /// Why, for the person; shortened when sent if too long.
        package let text: String

        /// A message of these fields.
        package init(code: ErrorCode, text: String) {
            self.code = code
            self.text = text
        }
    }
}
