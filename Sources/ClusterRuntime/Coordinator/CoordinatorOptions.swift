package import ZeroMQ

/// What a coordinator's process is told beside the run's configuration.
package struct CoordinatorOptions: Sendable {
    /// TCP ports of the four sockets; 0 lets the system choose.
    package struct Ports: Sendable, Equatable {
        /// Hellos, leases, assignments.
        package var control = 0
        /// Offers and new parameters.
        package var averaging = 0
        /// Manifests and chunks of files.
        package var checkpoints = 0
        /// Hints that there is a new checkpoint.
        package var announcements = 0

        /// All chosen by the system.
        package init() {}
    }

    /// What the run is decided by.
    package var configuration: RunConfiguration
    /// Where the ledger, the checkpoints and the events are.
    package var runFolder: String
    /// The address the sockets are bound to.
    package var bindHost = "127.0.0.1"
    /// The ports they are bound to.
    package var ports = Ports()
    /// The host by which nodes reach this machine.
    package var advertisedHost = "127.0.0.1"
    /// The coordinator's identity on all of its sockets.
    package var keys: CurveKeyPair
    /// The file of the nodes let in, see ``AuthorizedNodes``; unused when insecure.
    package var authorizedNodesPath: String
    /// No encryption and no keys; only within this machine.
    package var isInsecure = false
    /// How long a peer may take to prove its key.
    package var handshakeTime: Duration = .seconds(5)

    /// Options of a coordinator that only this machine reaches.
    package init(
        configuration: RunConfiguration,
        runFolder: String,
        keys: CurveKeyPair,
        authorizedNodesPath: String
    ) {
        self.configuration = configuration
        self.runFolder = runFolder
        self.keys = keys
        self.authorizedNodesPath = authorizedNodesPath
    }
}
