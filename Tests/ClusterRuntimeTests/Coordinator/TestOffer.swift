import ClusterMessages
import Tensors

@testable import ClusterRuntime

/// Bytes that a trainer of nothing but sockets offers in round 1.
struct TestOffer {
    let segments: [(description: Message.ParameterSegment, bytes: [UInt8])]

    /// The segments of parameters that round 1 of a run averages, as it exchanges them.
    init(_ parameters: ParameterBytes, for run: TestRun) {
        let averaging = run.options.configuration.averaging
        self.init(parameters, base: run.initial, averaging)
    }

    init(_ parameters: ParameterBytes, base: ParameterBytes, _ averaging: AveragingSettings) {
        segments = averaging.segments(averagedIn: RoundNumber(1)).compactMap { segment in
            guard let values = parameters[segment.rawValue]?.values,
                let base = base[segment.rawValue]?.values
            else { return nil }
            let encoding = averaging.encoding(of: segment)
            let sent = encoding == .float32 ? values : values.subtracting(base)
            let description = Message.ParameterSegment(
                name: segment.rawValue,
                elementCount: values.count,
                encoding: encoding
            )
            return (description, encoding.encode(sent))
        }
    }

    init(_ segments: [(description: Message.ParameterSegment, bytes: [UInt8])]) { self.segments = segments }

    var message: Message.Offer {
        Message.Offer(
            round: RoundNumber(1),
            baseRound: .initial,
            sampleCount: 2,
            hash: ContentHash(ofAll: segments.map { ContentHash(of: $0.bytes) }),
            segments: segments.map(\.description),
            losses: []
        )
    }

    /// What a window grants, in fragments.
    func fragments(_ accepted: Message.OfferAccepted) -> [Message.OfferFragment] {
        guard let (description, bytes) = segments.first(where: { $0.description.name == accepted.segment })
        else { return [] }
        let end = accepted.nextOffset + accepted.creditByteCount
        let piece = (1 << 20) / description.encoding.granule * description.encoding.granule
        return stride(from: accepted.nextOffset, to: end, by: piece).map { start in
            Message.OfferFragment(
                round: RoundNumber(1),
                segment: accepted.segment,
                offset: start,
                payload: Array(bytes[start..<min(end, start + piece)])
            )
        }
    }
}

extension TestNode {
    /// Offers and returns when the coordinator has all of it.
    func upload(_ offer: TestOffer, on line: Line) async throws {
        try await send(.offer(offer.message), on: line)
        while true {
            let accepted = try await next(on: line) { $0.asAcceptance }
            if accepted.isComplete { return }
            for fragment in offer.fragments(accepted) { try await send(.offerFragment(fragment), on: line) }
        }
    }
}
