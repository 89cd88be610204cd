import ClusterMessages
import Coordination
import Tensors
import ZeroMQ

/// What the control desk tells the averaging desk.
enum AveragingOrder: Sendable {
    /// Let a trainer upload its offer, or say where to go on with it.
    case accept(RoundNumber, from: NodeID)
    /// Tell a trainer that its offer is complete where it is.
    case hold(RoundNumber, from: NodeID)
    /// Tell a trainer that its offer is not wanted.
    case refuse(Message.RoundError, from: NodeID)
    /// Drop a trainer's offer.
    case forget(NodeID)
}

/// The averaging plane: collects offers and hands out the committed parameters.
///
/// It decides nothing: what happens to an offer goes to the control desk, whose orders it obeys. It holds at
/// most one offer a trainer, on the disk, and sends bytes only as they are asked for.
actor AveragingDesk {
    /// Bytes sent for one request at most.
    private static let replyByteCount = 8 << 20
    private static let fragmentByteCount = 1 << 20

    private let channel: Channel
    private let control: ControlDesk
    private let doorman: Doorman
    private let letterhead: Letterhead
    private let averaging: AveragingSettings
    /// Where offers are spooled.
    private let folder: String
    private var committed: CommittedRound
    /// Where each trainer's last message came from.
    private var peers: [NodeID: RoutingID] = [:]
    /// Announced, and not yet accepted.
    private var announced: [NodeID: Message.Offer] = [:]
    private var buffers: [NodeID: OfferBuffer] = [:]

    init(
        channel: Channel,
        control: ControlDesk,
        doorman: Doorman,
        letterhead: Letterhead,
        averaging: AveragingSettings,
        folder: String,
        committed: CommittedRound
    ) {
        self.channel = channel
        self.control = control
        self.doorman = doorman
        self.letterhead = letterhead
        self.averaging = averaging
        self.folder = folder
        self.committed = committed
    }

    // MARK: What comes in

    /// A message came in on the averaging plane.
    func receive(_ received: ReceivedMessage) async throws {
        let visit: Visit
        do {
            visit = try doorman.inspect(received)
        } catch {
            if let answer = error.answer, let peer = error.peer {
                let refusal = Message.RoundError(round: .initial, code: answer.code, text: answer.text)
                await send(.roundError(refusal), to: peer)
            }
            return
        }
        let node = visit.header.sender
        guard doorman.isSeated(visit) else { return await refuse(visit, .staleEpoch, "say hello first") }
        peers[node] = visit.peer
        switch visit.message {
        case .offer(let offer): try await announce(offer, visit)
        case .offerFragment(let fragment): try await take(fragment, from: node)
        case .parameterRequest(let request): await serve(request, visit)
        default:
            let trespass = doorman.misplaced(visit, on: "averaging")
            await refuse(visit, .auth, trespass.text)
        }
    }

    private func announce(_ offer: Message.Offer, _ visit: Visit) async throws {
        let expected = averaging.segments(averagedIn: offer.round).map { segment in
            Message.ParameterSegment(
                name: segment.rawValue,
                elementCount: committed.parameters[segment.rawValue]?.values.count ?? 0,
                encoding: averaging.encoding(of: segment)
            )
        }
        guard offer.segments == expected else {
            let text = "its segments are not those round \(offer.round) averages, as \(averaging.exchange)"
            return await refuse(visit, .badBase, text, round: offer.round)
        }
        let node = visit.header.sender
        announced[node] = offer
        let event = OfferEvent.started(
            visit.header.token,
            offer.round,
            base: offer.baseRound,
            samples: offer.sampleCount,
            offer.hash
        )
        try await control.offer(event, from: node)
    }

    private func take(_ fragment: Message.OfferFragment, from node: NodeID) async throws {
        let effect: OfferBuffer.Effect?
        do throws(CoordinatorError) {
            effect = try buffers[node]?.take(fragment)
        } catch {
            return try await drop(node, because: error)
        }
        guard let effect, let buffer = buffers[node] else { return }
        let hash = buffer.offer.hash
        switch effect {
        case .ignored, .taken: return
        case .windowEnded:
            await grant(node)
            let (received, total) = (buffer.receivedByteCount, buffer.totalByteCount)
            try await control.offer(.progressed(hash, received: received, of: total), from: node)
        case .completed:
            await grant(node)
            try await control.offer(.complete(hash, distances: buffer.distances), from: node)
        case .refused(let code, let text):
            buffers[node] = nil
            try await control.offer(.rejected(hash, code, text), from: node)
        }
    }

    private func serve(_ request: Message.ParameterRequest, _ visit: Visit) async {
        let round = committed.version.round
        guard request.round == round else {
            return await refuse(visit, .badBase, "the committed round is \(round)", round: request.round)
        }
        let size = ScalarType.float32.byteCount
        guard let segment = committed.parameters[request.segment], request.offset <= segment.byteCount,
            request.offset.isMultiple(of: size)
        else {
            let text = "no number of segment '\(request.segment)' begins at byte \(request.offset)"
            return await refuse(visit, .notFound, text, round: request.round)
        }
        let credit = min(request.creditByteCount, Self.replyByteCount)
        let end = min(segment.byteCount, request.offset + credit / size * size)
        for start in stride(from: request.offset, to: end, by: Self.fragmentByteCount) {
            let fragment = Message.ParameterFragment(
                round: round,
                segment: request.segment,
                offset: start,
                totalByteCount: segment.byteCount,
                payload: segment.bytes(start / size..<min(end, start + Self.fragmentByteCount) / size)
            )
            await send(.parameterFragment(fragment), to: visit.peer)
        }
    }

    // MARK: What the control desk wants

    /// Carries an order out.
    func obey(_ order: AveragingOrder) async throws {
        switch order {
        case .accept(let round, let node): try await accept(round, from: node)
        case .hold(let round, let node): await hold(round, from: node)
        case .refuse(let error, let node):
            if let peer = peers[node] { await send(.roundError(error), to: peer) }
        case .forget(let node): buffers[node] = nil
        }
    }

    private func accept(_ round: RoundNumber, from node: NodeID) async throws {
        guard let offer = announced[node], offer.round == round else { return }
        if buffers[node]?.offer != offer {
            do throws(CoordinatorError) {
                let spool = try OfferSpool(folder: folder)
                buffers[node] = OfferBuffer(offer, base: committed.parameters, spool: spool)
            } catch {
                return try await drop(node, because: error)
            }
        }
        await grant(node)
        // A restarted trainer's state may have forgotten what this buffer still has.
        if let buffer = buffers[node], buffer.isComplete {
            let event = OfferEvent.complete(buffer.offer.hash, distances: buffer.distances)
            try await control.offer(event, from: node)
        }
    }

    private func hold(_ round: RoundNumber, from node: NodeID) async {
        guard let offer = announced[node], offer.round == round, let peer = peers[node] else { return }
        let accepted = Message.OfferAccepted(
            round: round,
            segment: offer.segments.last?.name ?? "",
            nextOffset: offer.segments.last?.byteCount ?? 0,
            creditByteCount: 0,
            isComplete: true
        )
        await send(.offerAccepted(accepted), to: peer)
    }

    private func grant(_ node: NodeID) async {
        guard let accepted = buffers[node]?.grant(), let peer = peers[node] else { return }
        await send(.offerAccepted(accepted), to: peer)
    }

    /// Lets go of an offer that could not be written to the disk: no fault of the trainer, which will try again.
    private func drop(_ node: NodeID, because error: CoordinatorError) async throws {
        let round = buffers.removeValue(forKey: node)?.offer.round ?? announced[node]?.round ?? .initial
        try await control.complain("the offer of trainer \(node) is not kept: \(error)")
        guard let peer = peers[node] else { return }
        let text = "the offer could not be kept: \(error)"
        await send(.roundError(Message.RoundError(round: round, code: .noCapacity, text: text)), to: peer)
    }

    /// The offers of a plan in its order; nil for those that are not here.
    func offers(of plan: RoundPlan) -> [SpooledOffer?] {
        plan.contributions.map { part in
            guard let buffer = buffers[part.node], buffer.offer.hash == part.offer else { return nil }
            return buffer.parameters
        }
    }

    /// What the mean of a round consists of.
    func segments(averagedIn round: RoundNumber) -> [Message.ParameterSegment] {
        averaging.segments(averagedIn: round).map { segment in
            Message.ParameterSegment(
                name: segment.rawValue,
                elementCount: committed.parameters[segment.rawValue]?.values.count ?? 0,
                encoding: .float32
            )
        }
    }

    /// The last committed round.
    var last: CommittedRound { committed }

    /// Serves a new round's parameters from now on; the offers they are made of are done with.
    func adopt(_ round: CommittedRound) {
        committed = round
        buffers = [:]
        announced = [:]
    }

    // MARK: Sending

    private func refuse(
        _ visit: Visit,
        _ code: ErrorCode,
        _ text: String,
        round: RoundNumber = .initial
    ) async {
        await send(.roundError(Message.RoundError(round: round, code: code, text: text)), to: visit.peer)
    }

    /// A message that cannot be sent now is lost: whoever waits for it asks again.
    private func send(_ message: Message, to peer: RoutingID) async {
        guard let frames = try? letterhead.frames(message, epoch: 0) else { return }
        try? await channel.send(frames, to: peer)
    }
}
