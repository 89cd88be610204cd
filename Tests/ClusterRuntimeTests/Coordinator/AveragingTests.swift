import ClusterMessages
import Tensors
import Testing

@testable import ClusterRuntime

@Suite struct AveragingTests {
    // MARK: The mean

    @Test func `the mean of one member is its bits`() {
        let values = Tensor([0.1, -3.25, 7], shape: [3])
        #expect(OuterStep.mean([(values, 17)]).encoded() == values.encoded())
    }

    @Test func `members that agree are their mean, whatever their weights`() {
        let values = Tensor([0.1, 0.2, 0.3], shape: [3])
        let mean = OuterStep.mean([(values, 1), (values.copied(), 3), (values.copied(), 7)])
        #expect(mean.encoded() == values.encoded())
    }

    @Test func `samples weigh`() {
        let mean = OuterStep.mean([(Tensor([0, 8], shape: [2]), 1), (Tensor([4, 0], shape: [2]), 3)])
        #expect(mean.values == [3, 2])
    }

    @Test func `the outer step is Nesterov's`() {
        let base = Tensor([1], shape: [1])
        let first = OuterStep.nesterov(base: base, mean: Tensor([0], shape: [1]), velocity: nil)
        // g = 1, m = 1: 1 - 0.7 (1 + 0.9)
        #expect(abs(first.values.values[0] - -0.33) < 1e-6)
        let second = OuterStep.nesterov(
            base: first.values,
            mean: first.values.copied(),
            velocity: first.velocity
        )
        // g = 0, m = 0.9: -0.33 - 0.7 · 0.9 · 0.9
        #expect(abs(second.values.values[0] - -0.897) < 1e-6)
    }

    // MARK: The discriminator's period

    @Test func `the discriminator is averaged every period, the student in every round`() {
        var averaging = AveragingSettings()
        averaging.discriminatorPeriod = 3
        #expect((1...7).filter { averaging.averages("discriminator", in: $0) } == [3, 6])
        #expect((1...7).allSatisfy { averaging.averages("student", in: $0) })
        #expect(parameters.averaged(in: RoundNumber(2), averaging).segments.map(\.name) == ["student"])
        #expect(parameters.averaged(in: RoundNumber(3), averaging) == parameters)
    }

    @Test func `a trainer keeps its discriminator as long as it missed no average of them`() {
        var averaging = AveragingSettings()
        averaging.discriminatorPeriod = 3
        #expect(averaging.keepsDiscriminator(from: 0, to: 1))
        #expect(averaging.keepsDiscriminator(from: 3, to: 5))
        #expect(!averaging.keepsDiscriminator(from: 2, to: 3))
        #expect(!averaging.keepsDiscriminator(from: 2, to: 4))
        averaging.discriminatorPeriod = 1
        #expect(!averaging.keepsDiscriminator(from: 1, to: 2))
    }

    // MARK: Offers

    private func offer(of parameters: ParameterBytes, hash: ContentHash? = nil) -> Message.Offer {
        Message.Offer(
            round: RoundNumber(1),
            baseRound: .initial,
            sampleCount: 4,
            hash: hash ?? parameters.hash,
            segments: parameters.layout,
            losses: []
        )
    }

    /// Sends what the buffer grants until it wants no more; the last effect.
    private func upload(_ parameters: ParameterBytes, to buffer: inout OfferBuffer) -> OfferBuffer.Effect {
        var effect = OfferBuffer.Effect.ignored
        repeat {
            let accepted = buffer.grant()
            let bytes = parameters[accepted.segment] ?? []
            let payload = Array(bytes[accepted.nextOffset..<accepted.nextOffset + accepted.creditByteCount])
            effect = buffer.take(
                .init(
                    round: RoundNumber(1),
                    segment: accepted.segment,
                    offset: accepted.nextOffset,
                    payload: payload
                )
            )
        } while effect == .windowEnded
        return effect
    }

    private let parameters = ParameterBytes([
        (name: "student", bytes: [UInt8](repeating: 1, count: OfferBuffer.windowByteCount + 8)),
        (name: "discriminator", bytes: [UInt8](repeating: 2, count: 12)),
    ])

    @Test func `an offer is taken window by window`() {
        var buffer = OfferBuffer(offer(of: parameters), base: parameters)
        #expect(buffer.parameters == nil)
        #expect(upload(parameters, to: &buffer) == .completed)
        #expect(buffer.parameters == parameters)
        #expect(buffer.grant().isComplete)
    }

    @Test func `a taken offer knows how far each segment is from the base`() {
        let base = ParameterBytes([
            (name: "student", bytes: Tensor([1, 2], shape: [2]).encoded()),
            (name: "discriminator", bytes: Tensor([5], shape: [1]).encoded()),
        ])
        let moved = ParameterBytes([
            (name: "student", bytes: Tensor([4, 6], shape: [2]).encoded()),
            (name: "discriminator", bytes: Tensor([5], shape: [1]).encoded()),
        ])
        var buffer = OfferBuffer(offer(of: moved), base: base)
        #expect(upload(moved, to: &buffer) == .completed)
        #expect(buffer.distances == [5, 0])
    }

    @Test func `bytes that are not those announced are refused at the end`() {
        var buffer = OfferBuffer(offer(of: parameters, hash: hash(9)), base: parameters)
        guard case .refused(.corrupt, _) = upload(parameters, to: &buffer) else {
            Issue.record("the offer was taken")
            return
        }
        #expect(buffer.parameters == nil)
    }

    @Test func `a number that is none is refused when it comes`() {
        let bad = ParameterBytes([
            (name: "student", bytes: Tensor([1, .nan], shape: [2]).encoded()),
            (name: "discriminator", bytes: [0, 0, 0, 0]),
        ])
        var buffer = OfferBuffer(offer(of: bad), base: bad)
        guard case .refused(.nonFinite, _) = upload(bad, to: &buffer) else {
            Issue.record("the offer was taken")
            return
        }
    }

    @Test func `bytes beyond the credit are refused, and bytes out of order ignored`() {
        var buffer = OfferBuffer(offer(of: parameters), base: parameters)
        let early = Message.OfferFragment(
            round: RoundNumber(1),
            segment: "student",
            offset: 4,
            payload: [0, 0, 0, 0]
        )
        _ = buffer.grant()
        #expect(buffer.take(early) == .ignored)
        let bytes = [UInt8](repeating: 1, count: OfferBuffer.windowByteCount + 4)
        let greedy = Message.OfferFragment(
            round: RoundNumber(1),
            segment: "student",
            offset: 0,
            payload: bytes
        )
        guard case .refused(.tooLarge, _) = buffer.take(greedy) else {
            Issue.record("the fragment was taken")
            return
        }
    }
}
