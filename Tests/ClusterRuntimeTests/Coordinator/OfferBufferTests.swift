import ClusterMessages
import Foundation
import Tensors
import Testing

@testable import ClusterRuntime

/// Offers as their bytes come in.
@Suite struct OfferBufferTests {
    private func buffer(_ offer: Message.Offer, base: ParameterBytes) throws -> OfferBuffer {
        let folder = FileManager.default.temporaryDirectory.path
        return OfferBuffer(offer, base: base, spool: try OfferSpool(folder: folder))
    }

    /// Sends what the buffer grants until it wants no more; the last effect.
    private func upload(_ offer: TestOffer, to buffer: inout OfferBuffer) throws -> OfferBuffer.Effect {
        var effect = OfferBuffer.Effect.windowEnded
        while effect == .windowEnded {
            for fragment in offer.fragments(buffer.grant()) {
                effect = try buffer.take(fragment)
                guard effect == .taken || effect == .windowEnded else { return effect }
            }
        }
        return effect
    }

    private func state(_ segments: KeyValuePairs<StateSegment, [Float]>) -> ParameterBytes {
        ParameterBytes(
            segments.map { .init(name: $0.rawValue, values: Tensor($1, shape: [$1.count])) }
        )
    }

    private func averaging(_ exchange: AveragingSettings.Exchange = .float32) -> AveragingSettings {
        var averaging = AveragingSettings()
        averaging.exchange = exchange
        averaging.momentsPeriod = 1
        return averaging
    }

    private let long = (0..<(OfferBuffer.windowByteCount / 4 + 700)).map { Float($0 % 1013) / 1013 - 0.5 }

    @Test(arguments: AveragingSettings.Exchange.allCases)
    func `an offer is taken window by window, and read back in pieces`(exchange: AveragingSettings.Exchange)
        throws
    {
        let base = state([
            .student: long, .discriminator: [1, 2, 3], .studentSecondMoment: [0.5, 1e-12],
        ])
        let moved = state([
            .student: long.map { $0 * 1.5 }, .discriminator: [1, 2, 4], .studentSecondMoment: [0, 2e-12],
        ])
        let offer = TestOffer(moved, base: base, averaging(exchange))
        var buffer = try buffer(offer.message, base: base)
        #expect(buffer.parameters == nil)
        #expect(try upload(offer, to: &buffer) == .completed)
        #expect(buffer.grant().isComplete)
        #expect(buffer.receivedByteCount == buffer.totalByteCount)
        let spooled = try #require(buffer.parameters)
        for segment in moved.segments {
            let start = try #require(base[segment.name]?.values)
            let difference = segment.values.subtracting(start)
            for first in stride(from: 0, to: start.count, by: 1 << 18) {
                let range = first..<min(start.count, first + 1 << 18)
                let values = try #require(
                    try spooled.values(of: segment.name, range, base: start.rows(range))
                )
                guard exchange != .float32, segment.name != "student_second_moment" else {
                    #expect(values.encoded() == segment.bytes(range))
                    continue
                }
                let error = values.largestAbsoluteDifference(to: segment.values.rows(range))
                let largest = difference.rows(range).largestAbsoluteDifference(to: .zeros([range.count]))
                // Half of the last place of a half, or of a block's scale, and of the sum with the base.
                #expect(error <= largest * (exchange == .float16 ? 0x1p-11 : 1 / 254) + 0x1p-24)
            }
        }
        #expect(try spooled.values(of: "moment_ages", 0..<2, base: .zeros([2])) == nil)
    }

    @Test func `a taken offer knows how far its parameters are from the base`() throws {
        let base = state([.student: [1, 2], .discriminator: [5], .studentSecondMoment: [0, 0]])
        let moved = state([.student: [4, 6], .discriminator: [5], .studentSecondMoment: [9, 9]])
        for exchange in AveragingSettings.Exchange.allCases where exchange != .int8 {
            let offer = TestOffer(moved, base: base, averaging(exchange))
            var buffer = try buffer(offer.message, base: base)
            #expect(try upload(offer, to: &buffer) == .completed)
            #expect(buffer.distances == [5, 0])
        }
    }

    @Test func `bytes that are not those announced are refused at the end`() throws {
        let base = state([.student: [1, 2], .discriminator: [5]])
        let offer = TestOffer(base, base: base, averaging())
        let other = Message.Offer(
            round: RoundNumber(1),
            baseRound: .initial,
            sampleCount: 2,
            hash: hash(9),
            segments: offer.message.segments,
            losses: []
        )
        var buffer = try buffer(other, base: base)
        guard case .refused(.corrupt, _) = try upload(offer, to: &buffer) else {
            Issue.record("the offer was taken")
            return
        }
        #expect(buffer.parameters == nil)
    }

    @Test(
        arguments: AveragingSettings.Exchange.allCases,
        [Float.nan, .infinity, 1e30]
    )
    func `a number that is none is refused when it comes`(exchange: AveragingSettings.Exchange, value: Float)
        throws
    {
        // 10^30 is a number, but not in halves.
        let isRefused = !value.isFinite || exchange == .float16
        let base = state([.student: [Float](repeating: 0.1, count: 600), .discriminator: [0]])
        var values = [Float](repeating: 0.2, count: 600)
        values[400] = value
        let offer = TestOffer(
            state([.student: values, .discriminator: [0]]),
            base: base,
            averaging(exchange)
        )
        var buffer = try buffer(offer.message, base: base)
        let effect = try upload(offer, to: &buffer)
        if case .refused(.nonFinite, _) = effect { #expect(isRefused) } else { #expect(!isRefused) }
    }

    @Test func `a second moment below zero is refused`() throws {
        let base = state([.student: [1], .discriminator: [1], .studentSecondMoment: [0, 1]])
        let moved = state([.student: [1], .discriminator: [1], .studentSecondMoment: [0, -1e-20]])
        let offer = TestOffer(moved, base: base, averaging())
        var buffer = try buffer(offer.message, base: base)
        guard case .refused(.nonFinite, let text) = try upload(offer, to: &buffer) else {
            Issue.record("the offer was taken")
            return
        }
        #expect(text.contains("student_second_moment is negative"))
    }

    @Test func `bytes beyond the credit or that tear a number are refused, and those out of order ignored`()
        throws
    {
        func fragment(_ offset: Int, _ payload: [UInt8]) -> Message.OfferFragment {
            .init(round: RoundNumber(1), segment: "student", offset: offset, payload: payload)
        }
        let base = state([.student: long, .discriminator: [0]])
        let offer = TestOffer(base, base: base, averaging())
        var first = try buffer(offer.message, base: base)
        _ = first.grant()
        #expect(try first.take(fragment(4, [0, 0, 0, 0])) == .ignored)
        let greedy = [UInt8](repeating: 0, count: OfferBuffer.windowByteCount + 4)
        guard case .refused(.tooLarge, _) = try first.take(fragment(0, greedy)) else {
            Issue.record("the fragment was taken")
            return
        }
        for (exchange, count) in [(AveragingSettings.Exchange.float32, 6), (.float16, 3), (.int8, 261)] {
            let offer = TestOffer(base, base: base, averaging(exchange))
            var second = try buffer(offer.message, base: base)
            _ = second.grant()
            guard case .refused(.corrupt, _) = try second.take(fragment(0, .init(repeating: 0, count: count)))
            else {
                Issue.record("\(count) bytes of \(exchange) were taken")
                return
            }
        }
    }

    @Test func `a spool leaves no file behind, not even while it is used`() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "spool-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let spool = try OfferSpool(folder: folder.path)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [])
        try spool.append([1, 2, 3])
        try spool.append([4, 5])
        #expect(try spool.read(1..<4) == [2, 3, 4])
        try spool.append([6])
        #expect(try spool.read(4..<6) == [5, 6])
        #expect(throws: CoordinatorError.self) { try spool.read(4..<7) }
        #expect(throws: CoordinatorError.self) { try OfferSpool(folder: folder.path + "/none") }
    }
}
