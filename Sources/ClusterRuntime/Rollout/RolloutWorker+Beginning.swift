import Checkpoints
import ClusterMessages
import DiffusionModels
import ZeroMQ

/// What a rollout opens before it can work.
extension RolloutWorker {
    /// Opens the teacher and learns its hash.
    func open(_ path: String) async throws {
        meter.turn(to: .waiting, "reads the teacher in \(path)")
        let (model, digest) = try await compute.run {
            let model = try ModelFolder(path: path, text: .whenNeeded)
            return (model, try model.contentDigest())
        }
        self.model = model
        connection.update { $0.teacher = ContentHash(digest) }
    }

    func makeServer() async throws -> TrajectoryServer {
        authenticator = options.isInsecure ? nil : try Authenticator(in: network.context)
        let channel = try Channel(
            .router,
            in: network.context,
            on: network.thread,
            security: network.server(domain: TrajectoryServer.domain),
            settings: .server(
                peerRate: .transfer,
                sendHighWaterMark: ChannelSettings.transferHighWaterMark
            )
        )
        let isLocal = ["127.0.0.1", "localhost"].contains(options.advertiseHost)
        let host = options.servingHost ?? (isLocal ? "127.0.0.1" : "0.0.0.0")
        let wanted = options.servingPort == 0 ? "*" : String(options.servingPort)
        let bound = try await channel.bind(to: "tcp://\(host):\(wanted)")
        let port = bound.split(separator: ":").last.map(String.init) ?? ""
        if let authenticator {
            try await authenticator.selfProbe(
                endpoint: "tcp://\(host == "0.0.0.0" ? "127.0.0.1" : host):\(port)",
                serverKey: options.keys.publicKey,
                domain: TrajectoryServer.domain
            )
        }
        connection.update { [options] inventory in
            inventory.trajectoriesEndpoint = "tcp://\(options.advertiseHost):\(port)"
            inventory.trajectoriesPublicKey = options.isInsecure ? nil : options.keys.publicKey.text
            inventory.batchCapacity = Self.leaseWindow
        }
        return TrajectoryServer(
            channel: channel,
            authenticator: authenticator,
            shelf: shelf,
            checkpoints: follower?.shelf ?? CheckpointShelf(),
            signature: network.signature,
            meter: meter
        )
    }

    /// Loads what the run's configuration names.
    func prepare(_ welcome: Message.Welcome) async throws {
        let configuration = try options.configuration(of: welcome)
        if model == nil {
            try await open(configuration.modelPath)
            connection.renew()  // the hello before did not name the teacher
        }
        guard let model else { return }
        solver = try await compute.run { [options, configuration] in
            try TrajectorySolver(
                model.keepingEncodings(configuration.prompts),
                configuration: configuration,
                lanes: options.lanes
            )
        }
    }
}
