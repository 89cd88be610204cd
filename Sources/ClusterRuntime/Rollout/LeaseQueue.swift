import ClusterMessages

/// The leases a rollout works on, oldest first; the first is the one being computed.
struct LeaseQueue: Sendable {
    private(set) var leases: [Message.Lease] = []

    /// The lease to work on.
    var first: Message.Lease? { leases.first }

    /// What a hello or goodbye says of them.
    var held: [Message.HeldLease] { leases.map { Message.HeldLease(batch: $0.batch, fence: $0.fence) } }

    /// Takes a lease; a newer one of a batch takes the place of the older.
    mutating func add(_ lease: Message.Lease) {
        if let index = leases.firstIndex(where: { $0.batch == lease.batch }) {
            if leases[index].fence < lease.fence { leases[index] = lease }
        } else {
            leases.append(lease)
        }
    }

    /// Drops a cancelled lease that has not begun; one that has is finished, its result may still be welcome.
    mutating func cancel(_ batch: BatchID, _ fence: Fence) {
        let begun = leases.first?.batch
        leases.removeAll { $0.batch == batch && $0.fence == fence && $0.batch != begun }
    }

    /// Ends the lease of a batch, and returns it as it stands now.
    mutating func end(_ batch: BatchID) -> Message.Lease? {
        leases.firstIndex { $0.batch == batch }.map { leases.remove(at: $0) }
    }
}
