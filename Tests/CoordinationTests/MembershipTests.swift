import ClusterMessages
import Testing

@testable import Coordination

@Suite struct MembershipTests {
    var talk = Conversation { $0.leaseFloor = .seconds(1000) }

    @Test mutating func `nodes are numbered from 1 in the order they come`() {
        #expect(talk.join(.rollout, "a") == NodeID(1))
        #expect(talk.join(.trainer, "b") == NodeID(2))
        #expect(talk.coordinator.membership.epoch == 2)
    }

    @Test mutating func `silence makes a node suspect, a word alive, long silence dead`() {
        let node = talk.join(.rollout, "a")
        talk.now += .seconds(3)
        #expect(talk.occurrences(of: .tick) == [.suspected])
        let sender = talk.sender(node)
        #expect(talk.occurrences(of: .received(.ping(progress: 0), from: sender)) == [.recovered])
        for _ in 0..<9 {
            talk.now += .seconds(1)
            #expect(!talk.occurrences(of: .tick).contains(.died))
        }
        talk.now += .seconds(1)
        let epoch = talk.coordinator.membership.epoch
        #expect(talk.occurrences(of: .tick).first == .died)
        #expect(talk.coordinator.membership.epoch == epoch + 1)
    }

    @Test mutating func `a coordinator that stood still itself blames nobody for a dead interval`() {
        let node = talk.join(.rollout, "a")
        talk.now += .seconds(60)
        #expect(talk.occurrences(of: .tick) == [.stalled])
        talk.now += .seconds(4)
        #expect(talk.occurrences(of: .tick) == [.suspected])
        #expect(talk.coordinator.membership[node]?.isPresent == true)
        talk.now += .seconds(5)
        #expect(talk.occurrences(of: .tick) == [])
        talk.now += .seconds(1)
        #expect(talk.occurrences(of: .tick).first == .died)
    }

    @Test mutating func `a dead node's message is refused until it says hello again`() {
        let arrival = talk.arrival(.rollout, "a")
        let (node, _) = talk.hello(arrival)
        _ = talk.wait(10, silent: [node])
        let refusal = Directive.refuse(arrival.incarnation, .staleEpoch, "node 1 is dead; say hello again")
        #expect(talk.says(node, .ping(progress: 1)) == [refusal])
        #expect(talk.hello(arrival).node == node)
        #expect(talk.says(node, .ping(progress: 1)) == [.pong(node)])
    }

    @Test mutating func `a stranger is refused`() {
        let sender = Sender(NodeID(9), Incarnation(1), sequence: 1)
        let answer = talk.happens(.received(.ping(progress: 0), from: sender))
        #expect(answer == [.refuse(Incarnation(1), .staleEpoch, "node 9 is not a member; say hello")])
    }

    @Test mutating func `a lost message ends the session, and does not count as life`() {
        let arrival = talk.arrival(.rollout, "a")
        let (node, _) = talk.hello(arrival)
        let heard = talk.coordinator.membership[node]?.lastHeard
        _ = talk.sender(node)
        talk.now += .seconds(1)
        let refusal = Directive.refuse(
            arrival.incarnation,
            .staleEpoch,
            "a message was lost; say hello again"
        )
        #expect(talk.says(node, .ping(progress: 0)) == [refusal])
        #expect(talk.coordinator.membership[node]?.lastHeard == heard)
    }

    @Test mutating func `a repeated message changes nothing`() {
        let node = talk.join(.rollout, "a")
        let sender = talk.sender(node)
        let message = CoordinatorEvent.received(.ping(progress: 1), from: sender)
        #expect(talk.happens(message) == [.pong(node)])
        #expect(talk.happens(message) == [])
    }

    @Test mutating func `a second process with the same key waits until the first has missed a ping`() {
        let first = talk.arrival(.rollout, "a")
        let (node, _) = talk.hello(first)
        let second = talk.arrival(.rollout, "a", process: 2)
        let refusal = Directive.refuse(
            second.incarnation,
            .duplicateNode,
            "node 1 (a) is alive with the same identity"
        )
        #expect(talk.happens(.arrived(second)) == [refusal])
        talk.now += .seconds(2)
        let displaced = "a newer process took the place of node 1"
        let (same, answer) = talk.hello(second)
        #expect(same == node)
        #expect(answer == [.refuse(first.incarnation, .duplicateNode, displaced)])
        let old = Sender(node, first.incarnation, sequence: 2)
        let late = talk.happens(.received(.ping(progress: 0), from: old))
        #expect(late == [.refuse(first.incarnation, .duplicateNode, displaced)])
    }

    @Test mutating func `the log tells of a node that was restarted before its death was noticed`() {
        _ = talk.hello(talk.arrival(.rollout, "a"))
        talk.now += .seconds(2)
        let second = talk.arrival(.rollout, "a", process: 2)
        #expect(talk.occurrences(of: .arrived(second)) == [.replaced, .joined])
    }

    @Test mutating func `an operator is no member, nor is a rollout with another teacher`() {
        let visitor = talk.arrival(.operator, "o")
        #expect(
            talk.happens(.arrived(visitor)) == [
                .refuse(visitor.incarnation, .auth, "nodes are rollouts and trainers, not operators")
            ]
        )
        var strict = Conversation { $0.teacher = testHash(5, 5) }
        var rollout = strict.arrival(.rollout, "a")
        rollout.teacher = testHash(6, 6)
        guard case .refuse(_, .teacherMismatch, _) = strict.happens(.arrived(rollout)).first else {
            Issue.record("the wrong teacher was let in")
            return
        }
        rollout.teacher = testHash(5, 5)
        #expect(strict.hello(rollout).node == NodeID(1))
    }

    @Test mutating func `no more nodes than there may be`() {
        var small = Conversation { $0.maximumNodes = 1 }
        _ = small.join(.rollout, "a")
        #expect(small.hello(small.arrival(.rollout, "b")).node == .coordinator)
    }

    @Test mutating func `who says what only another role may say is shut out`() {
        let trainer = talk.join(.trainer, "t")
        let sender = talk.sender(trainer)
        let stray = NodeMessage.produced(
            BatchID(0),
            Fence(epoch: 0, attempt: 0),
            testHash(1, 0),
            byteCount: 1
        )
        #expect(talk.occurrences(of: .received(stray, from: sender)) == [.violated])
        #expect(talk.coordinator.membership[trainer]?.standing == .left)
    }

    @Test mutating func `numbers, epochs and sessions never fall when the coordinator restarts`() throws {
        let node = talk.join(.rollout, "a")
        let before = talk.coordinator.membership
        var snapshot = beginning
        snapshot.generation = 1
        snapshot.nodes = [KnownNode(id: node, identity: "a", role: .rollout, name: "a")]
        talk = Conversation(snapshot)
        #expect(talk.join(.trainer, "b") == NodeID(2))
        #expect(talk.hello(talk.arrival(.rollout, "a")).node == node)
        #expect(talk.coordinator.membership.epoch > before.epoch)
        let session = try #require(talk.coordinator.membership[node]?.session)
        #expect(session > (try #require(before[node]?.session)))
    }
}
