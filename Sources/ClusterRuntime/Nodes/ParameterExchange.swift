import ClusterMessages

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
    func upload(_ offer: Message.Offer, _ parameters: ParameterBytes) async throws {
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

    private func send(_ accepted: Message.OfferAccepted, of parameters: ParameterBytes) async throws {
        guard let bytes = parameters[accepted.segment], accepted.nextOffset <= bytes.count else {
            let reason = "it wants byte \(accepted.nextOffset) of segment '\(accepted.segment)'"
            throw NodeError.brokenProtocol(peer: link.peer, reason: reason)
        }
        let end = min(bytes.count, accepted.nextOffset + accepted.creditByteCount)
        for start in stride(from: accepted.nextOffset, to: end, by: ChunkTransfer.pieceByteCount) {
            let fragment = Message.OfferFragment(
                round: accepted.round,
                segment: accepted.segment,
                offset: start,
                payload: Array(bytes[start..<min(end, start + ChunkTransfer.pieceByteCount)])
            )
            try await link.send(.offerFragment(fragment))
            meter.progressed()
        }
    }

    // MARK: Down

    /// Downloads a committed round's parameters, segment after segment.
    ///
    /// - Parameters:
    ///   - segments: names and byte counts, in order.
    ///   - hash: what all bytes must have; nil where nobody told it.
    func download(
        _ round: RoundNumber,
        segments: [(name: String, byteCount: Int)],
        hash: ContentHash?
    ) async throws -> ParameterBytes {
        var parts: [(name: String, bytes: [UInt8])] = []
        for (name, byteCount) in segments {
            parts.append((name, try await download(round, name, byteCount: byteCount)))
        }
        let parameters = ParameterBytes(parts)
        guard hash == nil || hash == parameters.hash else {
            throw NodeError.wrongBytes(
                peer: link.peer,
                subject: "the parameters of round \(round)",
                expected: "SHA-256 \(hash?.abbreviated ?? "")",
                actual: parameters.hash.abbreviated
            )
        }
        return parameters
    }

    private func download(_ round: RoundNumber, _ segment: String, byteCount: Int) async throws -> [UInt8] {
        let subject = "segment '\(segment)' of round \(round)"
        var transfer = ChunkTransfer(0..<byteCount)
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
                guard transfer.receive(fragment.payload, at: fragment.offset) else { break }
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
        return transfer.bytes
    }
}
