package import Checkpoints
package import ClusterMessages
package import ZeroMQ

/// How a person reaches a coordinator.
package struct OperatorOptions: Sendable {
    /// `tcp://host:port`.
    package var coordinatorEndpoint: String
    /// The coordinator's key; nil without encryption.
    package var coordinatorKey: CurvePublicKey?
    /// A key that the coordinator lists as an operator's.
    package var keys: CurveKeyPair
    /// How long the coordinator may be silent.
    package var patience: Duration = .seconds(10)

    package init(coordinatorEndpoint: String, coordinatorKey: CurvePublicKey?, keys: CurveKeyPair) {
        self.coordinatorEndpoint = coordinatorEndpoint
        self.coordinatorKey = coordinatorKey
        self.keys = keys
    }
}

/// A person's conversation with a coordinator: status, commands and checkpoints, without being a node.
package struct OperatorClient: Sendable {
    private let options: OperatorOptions
    private let network: NodeNetwork

    package init(_ options: OperatorOptions) throws {
        self.options = options
        network = try NodeNetwork(
            name: "operator",
            keys: options.keys,
            isInsecure: options.coordinatorKey == nil
        )
    }

    /// How the run is doing.
    package func status() async throws -> RunStatus { try await ask(.statusRequest) }

    /// Gives a command, and returns how the run is doing then.
    package func command(_ action: Message.Action, node: NodeID? = nil) async throws -> RunStatus {
        try await ask(.command(Message.Command(action: action, node: node)))
    }

    /// Fetches the checkpoint of a round, or the newest, into a folder of checkpoints.
    package func fetch(
        round: UInt64?,
        into folder: String,
        progress: AsyncStream<CheckpointProgress>.Continuation
    ) async throws -> StoredCheckpoint {
        defer { progress.finish() }
        let status = try await status()
        let store = try CheckpointStore(folder: folder)
        let wanted = round.map { RoundNumber($0) } ?? status.round
        return try await network.withLink(
            to: status.checkpointEndpoint,
            serverKey: options.coordinatorKey?.text,
            peer: "the coordinator's checkpoints"
        ) { link in
            let download = CheckpointDownload(link: link, network: network, store: store)
            return try await download.complete(try await download.begin(.round(wanted)), progress: progress)
        }
    }

    /// Ends the conversation.
    package func close() async { await network.context.terminate() }

    private func ask(_ question: Message) async throws -> RunStatus {
        try await network.withLink(
            to: options.coordinatorEndpoint,
            serverKey: options.coordinatorKey?.text,
            peer: "the coordinator"
        ) { link in
            try await answer(to: question, over: link)
        }
    }

    private func answer(to question: Message, over link: MessageLink) async throws -> RunStatus {
        let deadline = ContinuousClock.now + options.patience
        // The channel keeps it until there is a connection.
        try await link.send(question)
        while true {
            let rest = ContinuousClock.now.duration(to: deadline)
            guard rest > .zero, let message = try await link.next(within: rest) else {
                throw NodeError.coordinatorUnreachable(
                    endpoint: options.coordinatorEndpoint,
                    silence: options.patience
                )
            }
            switch message {
            case .status(let status): return try RunStatus(decoding: status.payload)
            case .refuse(let refusal): throw NodeError.refused(refusal.code, refusal.text)
            default: continue
            }
        }
    }
}
