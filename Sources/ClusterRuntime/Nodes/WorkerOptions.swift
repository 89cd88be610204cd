package import ClusterMessages
package import ZeroMQ

/// What a person says when starting a rollout or trainer worker; everything else comes from the coordinator.
package struct WorkerOptions: Sendable {
    /// Rollout or trainer.
    package var role: Role
    /// What people call the node; unique in the cluster.
    package var name: String
    /// The coordinator's control endpoint, `tcp://host:port`.
    package var coordinatorEndpoint: String
    /// The coordinator's key; nil without encryption.
    package var coordinatorKey: CurvePublicKey?
    /// The node's own identity, by which it is known over restarts.
    package var keys: CurveKeyPair
    /// The teacher's folder on this machine; nil uses the configuration's.
    package var modelPath: String?
    /// Where prompts' encodings are kept on this machine; nil uses the configuration's place, if it names one.
    package var encodingsPath: String?
    /// Where the node keeps its own files.
    package var runFolder: String
    /// The host under which others reach what this node serves.
    package var advertiseHost: String
    /// The address a rollout serves its trajectories at, or a trainer what a ring needs; nil is this machine alone if it advertises that, else
    /// every address.
    package var servingHost: String?
    /// The port of that; 0 lets the system choose.
    package var servingPort = 0
    /// Threads that share the numerics.
    package var lanes: Int
    /// How long the coordinator may be silent before the worker gives up.
    package var patience: Duration
    /// How long a worker that is told to stop may finish what it has begun.
    package var drainLimit = Duration.seconds(600)
    /// Without encryption; on this machine only.
    package var isInsecure: Bool
    /// Whether every announced checkpoint is fetched into ``runFolder``.
    package var fetchesCheckpoints: Bool
    /// Bytes of trajectories a rollout keeps for trainers, or a trainer prefetches.
    package var heldByteLimit: Int

    /// A worker that looks for its coordinator for ten minutes and fetches no checkpoints.
    package init(
        role: Role,
        name: String,
        coordinatorEndpoint: String,
        coordinatorKey: CurvePublicKey?,
        keys: CurveKeyPair,
        modelPath: String? = nil,
        runFolder: String,
        advertiseHost: String = "127.0.0.1",
        lanes: Int = 1,
        patience: Duration = .seconds(600),
        isInsecure: Bool = false,
        fetchesCheckpoints: Bool = false,
        heldByteLimit: Int = 4 << 30
    ) {
        precondition(role == .rollout || role == .trainer, "a \(role) is no worker")
        precondition(lanes >= 1, "a worker needs a lane, got \(lanes)")
        self.role = role
        self.name = name
        self.coordinatorEndpoint = coordinatorEndpoint
        self.coordinatorKey = coordinatorKey
        self.keys = keys
        self.modelPath = modelPath
        self.runFolder = runFolder
        self.advertiseHost = advertiseHost
        self.lanes = lanes
        self.patience = patience
        self.isInsecure = isInsecure
        self.fetchesCheckpoints = fetchesCheckpoints
        self.heldByteLimit = heldByteLimit
    }
}

extension WorkerOptions {
    /// The run's configuration as a coordinator sends it, with this machine's paths.
    func configuration(of welcome: Message.Welcome) throws(ConfigurationError) -> RunConfiguration {
        var configuration = try RunConfiguration(yaml: welcome.configuration, path: "the run's configuration")
        if let path = modelPath { configuration.modelPath = path }
        if let path = encodingsPath { configuration.prompts.cachePath = absolutePath(path, in: ".") }
        return configuration
    }
}
