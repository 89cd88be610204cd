import ClusterMessages
import Tensors

/// A trainer's conversation with the coordinator about parameters: offers go up, committed rounds come down.
struct ParameterExchange: Sendable {
    let link: MessageLink
    let meter: WorkMeter
    /// How long the coordinator may send nothing.
    var patience: Duration = .seconds(30)
    /// After how much silence a request is repeated.
    var repetition: Duration = .seconds(3)

    // MARK: Up

    /// Uploads an offer as the coordinator gives credit, and returns when it has all of it.
    ///
    /// The coordinator says where it wants to go on, so an upload survives its restart and a lost fragment.
    func upload(_ offer: Message.Offer, _ parameters: LocalOffer) async throws {
        try await link.send(.offer(offer))
        reached(.trainerAfterOffer)
        var lastProgress = ContinuousClock.now
        while true {
            switch try await link.next(within: repetition) {
            case .offerAccepted(let accepted) where accepted.round == offer.round:
                if accepted.isComplete { return }
                lastProgress = .now
                try await send(accepted, of: parameters)
            case .roundError(let error):
                throw NodeError.notServed(
                    peer: link.peer,
                    subject: "the offer of round \(offer.round)",
                    error.code,
                    error.text
                )
            case .some: break  // of an exchange that was given up
            case nil: try await link.send(.offer(offer))
            }
            if lastProgress.duration(to: .now) >= patience {
                throw NodeError.silent(
                    peer: link.peer,
                    subject: "the offer of round \(offer.round)",
                    patience
                )
            }
        }
    }

    private func send(_ accepted: Message.OfferAccepted, of parameters: LocalOffer) async throws {
        guard let part = parameters[accepted.segment], accepted.nextOffset <= part.bytes.count else {
            let reason = "it wants byte \(accepted.nextOffset) of segment '\(accepted.segment)'"
            throw NodeError.brokenProtocol(peer: link.peer, reason: reason)
        }
        let end = min(part.bytes.count, accepted.nextOffset + accepted.creditByteCount)
        // No number, or block of them, is torn.
        let granule = part.description.encoding.granule
        let piece = ChunkTransfer.pieceByteCount / granule * granule
        for start in stride(from: accepted.nextOffset, to: end, by: piece) {
            let fragment = Message.OfferFragment(
                round: accepted.round,
                segment: accepted.segment,
                offset: start,
                payload: Array(part.bytes[start..<min(end, start + piece)])
            )
            try await link.send(.offerFragment(fragment))
            meter.progressed()
        }
    }

    // MARK: Down

    /// Downloads segments of a committed round's parameters, one after another.
    ///
    /// - Parameter segments: names and byte counts.
    func download(
        _ round: RoundNumber,
        segments: [(name: String, byteCount: Int)]
    ) async throws -> [ParameterBytes.Segment] {
        var parts: [ParameterBytes.Segment] = []
        for (name, byteCount) in segments {
            let bytes = try await download(round, name, byteCount: byteCount)
            let values = Tensor(
                decoding: bytes,
                as: .float32,
                shape: [byteCount / ScalarType.float32.byteCount]
            )
            parts.append(ParameterBytes.Segment(name: name, values: values))
        }
        return parts
    }

    private func download(_ round: RoundNumber, _ segment: String, byteCount: Int) async throws -> [UInt8] {
        let subject = "segment '\(segment)' of round \(round)"
        var transfer = ChunkTransfer(0..<byteCount)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(min(byteCount, 1 << 30))
        var lastProgress = ContinuousClock.now
        while !transfer.isComplete {
            for piece in transfer.requests() {
                let request = Message.ParameterRequest(
                    round: round,
                    segment: segment,
                    offset: piece.lowerBound,
                    creditByteCount: piece.count
                )
                try await link.send(.parameterRequest(request))
            }
            switch try await link.next(within: repetition) {
            case .parameterFragment(let fragment)
            where fragment.round == round && fragment.segment == segment:
                guard fragment.totalByteCount == byteCount else {
                    throw NodeError.wrongBytes(
                        peer: link.peer,
                        subject: subject,
                        expected: "\(byteCount) bytes",
                        actual: "\(fragment.totalByteCount)"
                    )
                }
                guard transfer.receive(fragment.payload.count, at: fragment.offset) else { break }
                bytes += fragment.payload
                lastProgress = .now
                meter.progressed()
            case .roundError(let error):
                throw NodeError.notServed(peer: link.peer, subject: subject, error.code, error.text)
            case .some: break  // of an exchange that was given up
            case nil: transfer.rewind()
            }
            if lastProgress.duration(to: .now) >= patience, !transfer.isComplete {
                throw NodeError.silent(peer: link.peer, subject: subject, patience)
            }
        }
        return bytes
    }
}
