import ClusterMessages
import Coordination
import Distillation
import ZeroMQ

/// What the coordinator says.
extension ControlDesk {
    /// Why a hello is refused before anybody asks who it is; nil when it is in order.
    func objection(to hello: Message.Hello, _ visit: Visit) -> Message.Refuse? {
        guard visit.role == hello.role else {
            return Message.Refuse(code: .auth, text: "the key is a \(visit.role)'s, not a \(hello.role)'s")
        }
        guard hello.protocolVersions.overlaps(MessageHeader.supportedVersions) else {
            return Message.Refuse(
                code: .version,
                text: "the run speaks protocol version \(MessageHeader.currentVersion)"
            )
        }
        if let teacher = hello.teacherHash, teacher != facts.identity.teacher {
            let text =
                "the run's teacher is \(facts.identity.teacher.abbreviated), not \(teacher.abbreviated)"
            return Message.Refuse(code: .teacherMismatch, text: text)
        }
        if hello.role == .rollout, hello.trajectoriesEndpoint == nil {
            return Message.Refuse(code: .internal, text: "a rollout says where it serves trajectories")
        }
        let trains = hello.role == .trainer && hello.parameterHash != nil
        if trains, state.settings.topology == .ring, hello.trajectoriesEndpoint == nil {
            let text = "a trainer says where it serves what a ring needs (cluster.averaging.topology)"
            return Message.Refuse(code: .internal, text: text)
        }
        return nil
    }

    func welcome(_ node: NodeID, _ session: SessionToken) -> Message.Welcome {
        Message.Welcome(
            node: node,
            token: session,
            configuration: facts.yaml,
            pingInterval: state.settings.pingInterval,
            deadInterval: state.settings.deadAfter,
            averagingEndpoint: facts.averagingEndpoint,
            checkpointEndpoint: facts.checkpointEndpoint,
            announcementEndpoint: facts.announcementEndpoint,
            serverPublicKey: facts.serverPublicKey,
            latestRound: state.parameters.round,
            manifestHash: manifestHash,
            trainerPublicKeys: doorman.trainerKeys,
            parameterHash: state.parameters.hash
        )
    }

    var pong: Message.Pong {
        Message.Pong(
            latestRound: state.parameters.round,
            manifestHash: manifestHash,
            state: state.runState,
            trainerPublicKeys: doorman.trainerKeys
        )
    }

    func message(for lease: GrantedLease, _ samples: [PromptSample], now: Instant) -> Message.Lease {
        let left = now.duration(to: lease.deadline)
        return Message.Lease(
            batch: lease.batch,
            fence: lease.fence,
            deadline: .milliseconds(max(1, Int64(left.inSeconds * 1000))),
            prompts: samples.map { Message.Prompt(id: $0.promptID, sample: $0.sample, text: $0.text) },
            seed: facts.seed
        )
    }

    /// Nil when the holder never said where it serves.
    func message(for trajectory: ProducedBatch) -> Message.Assign? {
        guard let holder = correspondents[trajectory.holder], let endpoint = holder.trajectoriesEndpoint
        else {
            return nil
        }
        return Message.Assign(
            batch: trajectory.batch,
            hash: trajectory.hash,
            byteCount: trajectory.byteCount,
            sampleCount: facts.batchSamples,
            holder: trajectory.holder,
            holderEndpoint: endpoint,
            holderPublicKey: holder.trajectoriesPublicKey,
            after: trajectory.after
        )
    }

    func message(for ring: AveragingRing) -> Message.RingOpen {
        Message.RingOpen(
            round: ring.plan.round,
            ring: ring.number,
            members: ring.plan.contributions.map { part in
                let correspondent = correspondents[part.node]
                return Message.RingMember(
                    node: part.node,
                    // A trainer without one was not let in.
                    endpoint: correspondent?.trajectoriesEndpoint ?? "",
                    publicKey: correspondent?.trajectoriesPublicKey,
                    offer: part.offer,
                    sampleCount: part.samples
                )
            }
        )
    }

    /// Nodes that are here and have a checkpoint: any few of them, so that they share the work.
    func holders(of manifest: ContentHash) -> [Message.Holder] {
        let holders = correspondents.filter { node, correspondent in
            correspondent.checkpoint == manifest && state.membership[node]?.isPresent == true
        }
        return holders.values.shuffled().prefix(Message.Manifest.largestHolderCount).compactMap { holder in
            holder.trajectoriesEndpoint.map {
                Message.Holder(endpoint: $0, publicKey: holder.trajectoriesPublicKey)
            }
        }
    }

    func answerStatus(to peer: RoutingID) throws {
        send(.status(Message.Status(payload: try status().encoded())), to: peer)
    }
}

extension CoordinatorState {
    /// Whether there is work, as people and nodes are told.
    var runState: Message.RunState {
        if isFinished { return .finished }
        if pausedAt != nil { return .paused }
        return isDraining ? .draining : .running
    }
}
