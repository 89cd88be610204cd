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

    func makeServer() async throws -> PeerServer {
        let server = try await PeerServer.open(
            options,
            on: network,
            domain: "trajectories",
            shelf: shelf,
            checkpoints: follower?.shelf ?? CheckpointShelf(),
            meter: meter,
            passing: .rolloutServingChunk
        )
        connection.update { [options] inventory in
            inventory.servingEndpoint = server.endpoint
            inventory.servingPublicKey = options.isInsecure ? nil : options.keys.publicKey.text
            inventory.batchCapacity = Self.leaseWindow
        }
        return server
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
