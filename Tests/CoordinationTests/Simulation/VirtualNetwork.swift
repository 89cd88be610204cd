import ClusterMessages

@testable import Coordination

/// What the coordinator sends to a node.
enum Downlink {
    case welcome(NodeID, SessionToken, ParameterVersion)
    case refuse(ErrorCode)
    case pong(ParameterVersion)
    case grant(GrantedLease)
    case cancelLease(BatchID, Fence)
    case assign(ProducedBatch)
    case release(BatchID, ContentHash)
    case open(RoundNumber)
    case cut(RoundNumber)
    case acceptOffer(RoundNumber)
    case refuseOffer(RoundNumber)
    case ring(AveragingRing)
    case announce(ParameterVersion)
    case abort(RoundNumber)
    case finish
}

/// What a node sends to the coordinator; its process and number come with it.
enum Uplink {
    case hello(Arrival)
    case message(NodeMessage)
    case offer(OfferEvent)
}

/// Something that happens at a moment of virtual time.
enum Happening {
    case uplink(Uplink, place: Int, Incarnation, sequence: UInt64)
    case downlink(Downlink, place: Int, Incarnation, sequence: UInt64)
    /// A node's own timer; void when its process or `token` is another by then.
    case timer(NodeTimer, place: Int, Incarnation, token: Int)
    case tick(generation: UInt32)
    case stored(RoundPlan, fails: Bool, generation: UInt32)
    case fault
    case startNode(place: Int)
    case startCoordinator
}

enum NodeTimer {
    case ping, work, fetched(BatchID), uploaded, loaded(ParameterVersion)
    case shared(AveragingRing)
}

/// The order of happenings in virtual milliseconds; those of one moment keep the order they were added in.
struct Agenda {
    private var entries: [(at: Int64, order: Int, what: Happening)] = []
    private var order = 0

    mutating func add(_ what: Happening, at moment: Int64) {
        order += 1
        insert((moment, order, what))
    }

    /// Puts a happening off to a later moment, before whatever is added for that moment from now on.
    private mutating func insert(_ entry: (at: Int64, order: Int, what: Happening)) {
        // Latest first, so that taking the next one is cheap.
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            let other = entries[middle]
            if other.at > entry.at || (other.at == entry.at && other.order > entry.order) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        entries.insert(entry, at: low)
    }

    mutating func next() -> (at: Int64, what: Happening)? {
        entries.popLast().map { ($0.at, $0.what) }
    }
}
