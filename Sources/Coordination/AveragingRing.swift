package import ClusterMessages

/// A plan whose mean its members make among themselves: of N members each makes the mean of an Nth of the numbers, from
/// the others' offers, and gets the rest of it from them.
///
/// So no link carries more than two offers' bytes, however many members there are, where the coordinator's carries two
/// a member. It only works when every one of them does; whenever one does not, the coordinator averages the round.
package struct AveragingRing: Sendable, Equatable {
    /// How many members there may be.
    static let sizes = 2...Message.RingOpen.largestMemberCount

    /// What its messages name it by: no other ring of the run has it, whichever process planned that.
    package let number: UInt64
    /// What is averaged; the order of its contributions is that of the sum and of the shares.
    package let plan: RoundPlan
    /// The shares that are made.
    package internal(set) var shares: [NodeID: RingShare] = [:]
    /// Why it cannot be completed, as a member says.
    package internal(set) var failure: String?

    /// The members, in order.
    package var members: [NodeID] { plan.contributions.map(\.node) }

    /// Members whose shares are not made yet.
    package var owing: [NodeID] { members.filter { shares[$0] == nil } }

    /// How far each member's segments are from the base (L2), all shares taken together; nil unless all are measured
    /// alike.
    var distances: [[Double]]? {
        let squares = members.compactMap { shares[$0]?.squares }
        guard squares.count == members.count, let count = squares.first?.count,
            squares.allSatisfy({ $0.count == count }), count.isMultiple(of: members.count)
        else { return nil }
        let segments = count / members.count
        return members.indices.map { member in
            (0..<segments).map { segment in
                squares.reduce(0) { $0 + $1[member * segments + segment] }.squareRoot()
            }
        }
    }

    /// The plan with the shares of its mean.
    var result: RoundPlan {
        var plan = plan
        plan.shares = members.compactMap { shares[$0] }
        return plan
    }
}

/// A member's share of a ring's mean, as the member tells of it.
package struct RingShare: Sendable, Equatable {
    /// Of the mean's bytes.
    package let hash: ContentHash
    /// How many there are.
    package let byteCount: Int
    /// How far each offer is from the base within the share, squared: by member in the ring's order, then by segment of
    /// parameters.
    package let squares: [Double]

    /// A share of these bytes and measures.
    package init(hash: ContentHash, byteCount: Int, squares: [Double]) {
        self.hash = hash
        self.byteCount = byteCount
        self.squares = squares
    }
}

/// How a round goes through a ring, and leaves it.
extension AveragingRound {
    /// What a ring comes to: nil while shares are still being made.
    mutating func ringing(_ ring: AveragingRing, _ view: View) -> Decision? {
        if let failure = ring.failure { return leaveRing(failure) }
        for part in ring.plan.contributions where offers[part.node]?.hash != part.offer {
            return leaveRing("the offer of trainer \(part.node) went with it")
        }
        if let idle = ring.owing.first(where: view.idle.contains) {
            return leaveRing("trainer \(idle) makes no progress")
        }
        guard ring.owing.isEmpty else { return nil }
        guard let distances = ring.distances else { return leaveRing("its members measured differently") }
        for (node, own) in zip(ring.members, distances) { measure(node, distances: own) }
        // The coordinator looks for itself before it leaves an offer out.
        if let outlier = outliers(among: ring.members).first {
            return leaveRing("trainer \(outlier.node): \(outlier.reason)")
        }
        close(ring.result)
        return .commit(ring.result)
    }
}
