import ClusterMessages
import Testing

@Suite struct GoldenFramesTests {
    @Test(arguments: Message.Kind.allCases)
    func `the bytes of every kind stay what they were`(kind: Message.Kind) throws {
        let message = try #require(SampleMessages.message(of: kind))
        let frames = try MessageCodec.encode(message, header: SampleMessages.header)
        #expect(frames == goldenFrames[kind.rawValue], "now:\n\(goldenText(of: kind, frames))")
    }

    @Test(arguments: Message.Kind.allCases)
    func `bytes written by the first version are still understood`(kind: Message.Kind) throws {
        let frames = try #require(goldenFrames[kind.rawValue])
        let decoded = try MessageCodec.decode(frames: frames)
        #expect(decoded.message == SampleMessages.message(of: kind))
        #expect(decoded.header == SampleMessages.header)
    }

    @Test func `the bytes of an offer of narrow numbers stay what they were`() throws {
        let message = SampleMessages.narrowOffer
        let frames = try MessageCodec.encode(message, header: SampleMessages.header)
        #expect(frames == goldenFrames["offer in int8"], "now:\n\(goldenText(of: .offer, frames))")
        let decoded = try MessageCodec.decode(frames: frames)
        #expect(decoded.message == message)
        guard case .offer(let offer) = decoded.message else { return }
        // Four blocks of 256 numbers less 24, each with a scale; halves.
        #expect(offer.segments.map(\.byteCount) == [1016, 1000])
    }

    @Test func `the bytes of a round that a ring averaged stay what they were`() throws {
        let message = SampleMessages.committedByRing
        let frames = try MessageCodec.encode(message, header: SampleMessages.header)
        #expect(
            frames == goldenFrames["committed by a ring"],
            "now:\n\(goldenText(of: .roundCommitted, frames))"
        )
        #expect(try MessageCodec.decode(frames: frames).message == message)
    }

    /// The form in which `GoldenFrames.swift` holds a message.
    private func goldenText(of kind: Message.Kind, _ frames: [[UInt8]]) -> String {
        var lines = [kind.rawValue]
        for frame in frames {
            let digits = frame.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            var rest = Substring(digits)
            lines.append("|")
            while !rest.isEmpty {
                lines.append(String(rest.prefix(96)))
                rest = rest.dropFirst(96)
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
