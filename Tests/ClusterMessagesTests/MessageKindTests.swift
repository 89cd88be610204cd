import ClusterMessages
import Testing

@Suite struct MessageKindTests {
    @Test func `there is a sample of every kind and only one`() {
        #expect(
            SampleMessages.all.map(\.kind).sorted { "\($0)" < "\($1)" }
                == Message.Kind.allCases.sorted { "\($0)" < "\($1)" }
        )
    }

    @Test(arguments: Message.Kind.allCases)
    func `somebody may send every kind and nobody both asks and answers`(kind: Message.Kind) {
        #expect(!kind.allowedSenders.isEmpty)
        let nodes: Set<Role> = [.rollout, .trainer, .operator]
        if kind.allowedSenders.contains(.coordinator),
            ![.fetch, .chunk, .fetchError, .announce].contains(kind)
        {
            #expect(kind.allowedSenders.isDisjoint(with: nodes))
        }
    }

    @Test func `roles keep to their work`() {
        #expect(Message.Kind.trajectoryReady.allowedSenders == [.rollout])
        #expect(Message.Kind.offer.allowedSenders == [.trainer])
        #expect(Message.Kind.command.allowedSenders == [.operator])
        #expect(Message.Kind.lease.allowedSenders == [.coordinator])
        #expect(!Message.Kind.consumed.allowedSenders.contains(.rollout))
        #expect(Message.Kind.hello.allowedSenders == [.rollout, .trainer, .operator])
    }

    @Test func `the end of a chunk is known from its place`() {
        let hash = SampleMessages.hash(1)
        #expect(Message.Chunk(hash: hash, offset: 7, totalByteCount: 9, payload: [1, 2]).isLast)
        #expect(!Message.Chunk(hash: hash, offset: 6, totalByteCount: 9, payload: [1, 2]).isLast)
    }
}
