import ClusterMessages

/// The unsettled batches, and what they come to.
///
/// Every change goes through the subscript, which keeps the account up to date: a look at it costs nothing, however many
/// batches and nodes there are.
struct BatchTable: Sendable {
    private var batches: [BatchID: Batch] = [:]
    private var numbers = BatchList()
    /// Those that wait for a lease, are being produced, and wait for a trainer.
    private(set) var pending = BatchList()
    private(set) var leased = BatchList()
    private(set) var produced = BatchList()
    private var leasedTo: [NodeID: BatchList] = [:]
    private(set) var account = BatchLedger.Survey()
    /// Nodes that have less outstanding than before, since they were last asked for.
    private var relieved: Set<NodeID> = []

    /// An unsettled batch.
    subscript(id: BatchID) -> Batch? {
        get { batches[id] }
        set {
            let former = batches[id]
            if let former { add(former, -1) }
            batches[id] = newValue
            if let newValue { add(newValue, 1) }
            switch (former, newValue) {
            case (nil, .some): numbers.insert(id)
            case (.some, nil): numbers.remove(id)
            case (nil, nil), (.some, .some): break
            }
        }
    }

    /// All of them in order of number.
    var values: [Batch] { batches(numbers) }

    /// Those of a list, in its order.
    func batches(_ list: BatchList) -> [Batch] { list.numbers.compactMap { batches[$0] } }

    /// Those that a node has a lease of, in order of number.
    func leased(to node: NodeID) -> [Batch] { leasedTo[node].map(batches) ?? [] }

    /// Takes a batch out.
    mutating func remove(_ id: BatchID) -> Batch? {
        let former = self[id]
        self[id] = nil
        return former
    }

    /// Counts batches that are settled.
    mutating func settle(committed: Int = 0, dead: Int = 0) {
        account.census.committed += committed
        account.census.dead += dead
    }

    /// What a lease is expected to make.
    mutating func expect(_ byteCount: Int) {
        if byteCount > account.expectedByteCount { account.expectedByteCount = byteCount }
    }

    /// A node begins or ends the lease of an audit.
    mutating func audit(at node: NodeID, _ count: Int) {
        account.outstanding[node, default: .init()].leases += count
        if count < 0 { relieved.insert(node) }
    }

    /// The nodes that have less outstanding than before the last call.
    mutating func takeRelieved() -> Set<NodeID> {
        defer { relieved = [] }
        return relieved
    }

    // MARK: The account

    /// Adds a batch to the account, or takes it away.
    private mutating func add(_ batch: Batch, _ count: Int) {
        switch batch.stage {
        case .pending:
            account.census.pending += count
            pending.change(batch.id, count)
        case .leased(let lease, let hedge):
            account.census.leased += count
            leased.change(batch.id, count)
            for node in [lease.node, hedge?.node].compactMap(\.self) {
                account.outstanding[node, default: .init()].leases += count
                leasedTo[node, default: BatchList()].change(batch.id, count)
                if leasedTo[node]?.isEmpty ?? false { leasedTo[node] = nil }
                if count < 0 { relieved.insert(node) }
            }
        case .produced:
            account.census.produced += count
            produced.change(batch.id, count)
        case .assigned(let trainer):
            account.census.assigned += count
            account.outstanding[trainer, default: .init()].assigned += count
            account.outstanding[trainer, default: .init()].byteCount += count * batch.byteCount
            if batch.uses == 0 { account.unused.add(count, for: trainer) }
        case .consumed:
            account.census.consumed += count
        }
        if let holder = batch.holder {
            account.outstanding[holder, default: .init()].byteCount += count * batch.byteCount
            if count < 0 { relieved.insert(holder) }
        }
        if batch.uses > 0, let trainer = batch.trainer {
            account.samples.add(count * batch.samples, for: trainer)
            account.begun.add(count, for: trainer)
        }
    }
}

/// Numbers of batches in order.
struct BatchList: Sendable {
    private(set) var numbers: [BatchID] = []

    var isEmpty: Bool { numbers.isEmpty }

    /// Puts a number in, or takes it out when `count` is negative.
    mutating func change(_ id: BatchID, _ count: Int) {
        if count > 0 { insert(id) } else { remove(id) }
    }

    mutating func insert(_ id: BatchID) {
        // Most are the newest.
        if let last = numbers.last, last >= id {
            let place = place(of: id)
            if numbers[place] != id { numbers.insert(id, at: place) }
        } else {
            numbers.append(id)
        }
    }

    mutating func remove(_ id: BatchID) {
        let place = place(of: id)
        if place < numbers.count, numbers[place] == id { numbers.remove(at: place) }
    }

    /// Where a number is or would be.
    private func place(of id: BatchID) -> Int {
        var (low, high) = (0, numbers.count)
        while low < high {
            let middle = (low + high) / 2
            if numbers[middle] < id { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension [NodeID: Int] {
    /// Adds to a node's number; a node whose number is 0 has none.
    fileprivate mutating func add(_ count: Int, for node: NodeID) {
        let sum = self[node, default: 0] + count
        self[node] = sum == 0 ? nil : sum
    }
}
