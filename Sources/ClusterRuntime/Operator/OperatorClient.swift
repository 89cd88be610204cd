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

extension OperatorOptions {
    /// How to reach the coordinator that works, or last worked, in a folder of this machine.
    ///
    /// - Parameter keys: an operator's; nil takes the one that `flowsteer local` made.
    package init(of folder: LocalRunFolder, keys: CurveKeyPair?) throws {
        guard let address = try CoordinatorAddress(path: folder.coordinator) else {
            throw NodeError.notRunning(folder: folder.path)
        }
        let coordinatorKey = try address.publicKey.map { text throws(ZeroMQError) in try CurvePublicKey(text)
        }
        let isOpen = coordinatorKey == nil
        self.init(
            coordinatorEndpoint: address.control,
            coordinatorKey: coordinatorKey,
            keys: try keys ?? (isOpen ? .generate() : KeyFile.readPair(folder.operatorKey))
        )
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

    /// Has the open round end early, and returns how the run is doing when it is committed.
    ///
    /// Where no round is open the last committed one is the newest there can be, and the answer comes at once.
    /// - Parameter time: how long the round may take.
    /// - Throws: `notCommitted` when it takes longer, or when nothing was ever trained.
    package func checkpointNow(within time: Duration) async throws -> RunStatus {
        let deadline = ContinuousClock.now + time
        var status = try await command(.checkpoint)
        let wanted = status.isRoundOpen ? status.round.next : status.round
        guard wanted != .initial else { throw NodeError.notCommitted(wanted.next, status.waitingOn) }
        while status.round < wanted, status.state != .finished {
            guard ContinuousClock.now < deadline else {
                throw NodeError.notCommitted(wanted, status.waitingOn)
            }
            try await Task.sleep(for: .milliseconds(250))
            status = try await self.status()
        }
        return status
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
