package import ClusterMessages
import OrderedCollections

/// Who belongs to the cluster, who is only late and who is gone.
///
/// Any message counts as life, silence is measured on the coordinator's own clock, and a coordinator that was
/// itself stopped blames nobody for it. A node that left, died or lost a message speaks again only after a
/// new hello.
package struct Membership: Sendable {
    /// Where a node stands.
    package enum Standing: String, Sendable {
        case alive, suspect, dead, left
    }

    /// One node, known by its number for as long as the run lasts.
    package struct Node: Sendable, Equatable {
        /// The number, which its identity keeps over restarts of either side.
        package let id: NodeID
        /// What it proves to be: its public key and role, in the runtime's spelling.
        package let identity: String
        /// What it does.
        package internal(set) var role: Role
        /// What people call it.
        package internal(set) var name: String
        /// Its present process; nil when this coordinator has not met it yet.
        package internal(set) var incarnation: Incarnation?
        /// Where it stands.
        package internal(set) var standing: Standing
        /// When its last message came.
        package internal(set) var lastHeard: Instant
        /// Whether it was asked to finish its work and leave: it gets nothing new.
        package internal(set) var isDraining = false
        /// The kind of processor and kernels it computes with.
        package internal(set) var machine = ""
        /// Whether others made something else of the same batch: it gets nothing new as long as this process
        /// lives.
        package internal(set) var isQuarantined = false
        /// Whether it said goodbye or was turned away: nobody waits for its return.
        package internal(set) var isGone = false
        /// Finished pieces of work, as it last said, and when that last rose or it was given the first of new
        /// work.
        var progress: UInt64 = 0
        var progressedAt: Instant
        var sequence = SequenceGate(after: 0)
        /// Its present session, which its messages on the averaging plane must name.
        package internal(set) var session: SessionToken?
        /// Refused offers in a row.
        package internal(set) var strikes = 0

        /// Whether it takes part: alive, or only suspect.
        package var isPresent: Bool { standing == .alive || standing == .suspect }
    }

    /// What became of a hello.
    enum Admission: Equatable {
        case refused(ErrorCode, String)
        /// The process was here a moment ago: it keeps what it has.
        case resumed(NodeID, recovered: Bool)
        /// A new process, or one that was dead; `displaced` is the living process it takes over from.
        case joined(NodeID, displaced: Incarnation?)
    }

    /// What became of a message.
    enum Hearing: Equatable {
        /// In order, from a member's present process.
        case current(recovered: Bool)
        case repeated
        /// A message before this one was lost.
        case gap
        /// Not from a member's present process; the text says why.
        case stranger(ErrorCode, String)
    }

    /// What silence did.
    enum Change: Equatable {
        case stalled(Duration)
        case suspected(NodeID)
        case died(NodeID)
    }

    /// Rises at every join and leave, and by 2³² at every start of the coordinator, so it never falls and
    /// needs writing down only then.
    package private(set) var epoch: UInt64
    private var nodes: OrderedDictionary<NodeID, Node> = [:]
    /// The present nodes of each role in order of number, and the numbers of all identities.
    private var presentIDs: [Role: [NodeID]] = [:]
    private var ids: [String: NodeID] = [:]
    private var lastSession: UInt64
    private var lastTick: Instant
    private let settings: CoordinationSettings

    /// The members a restarted coordinator remembers, none of them heard yet.
    init(remembering known: [KnownNode], generation: UInt32, settings: CoordinationSettings, now: Instant) {
        self.settings = settings
        self.epoch = UInt64(generation) << 32
        self.lastSession = UInt64(generation) << 32
        self.lastTick = now
        for node in known.sorted(by: { $0.id < $1.id }) {
            nodes[node.id] = Node(
                id: node.id,
                identity: node.identity,
                role: node.role,
                name: node.name,
                standing: .left,
                lastHeard: now,
                progressedAt: now
            )
            ids[node.identity] = node.id
        }
    }

    /// The node of a number, if there ever was one.
    package subscript(node: NodeID) -> Node? { nodes[node] }

    /// The node of an identity, if it was ever met.
    func node(of identity: String) -> Node? { ids[identity].flatMap { nodes[$0] } }

    /// Every node ever met, in order of number.
    package var all: [Node] { Array(nodes.values) }

    /// Whether every node ever met is here.
    var isComplete: Bool { nodes.values.allSatisfy(\.isPresent) }

    /// The present nodes of a role, in order of number.
    package func present(_ role: Role) -> [Node] {
        ids(of: role).compactMap { nodes[$0] }
    }

    /// The numbers of the present nodes of a role, in order.
    func ids(of role: Role) -> [NodeID] { presentIDs[role] ?? [] }

    /// Takes note of who is present, after somebody came or went.
    private mutating func countPresent() {
        presentIDs = [:]
        for node in nodes.values where node.isPresent { presentIDs[node.role, default: []].append(node.id) }
    }

    /// Lets a process in, or says why not.
    ///
    /// The key decides who it is. While an older process with the same key still pings, the newer is refused
    /// and comes again; once the older has missed a ping, the newer takes its place.
    mutating func join(_ arrival: Arrival, now: Instant) -> Admission {
        guard let known = node(of: arrival.identity) else {
            guard presentIDs.values.reduce(0, { $0 + $1.count }) < settings.maximumNodes else {
                return .refused(.noCapacity, "\(settings.maximumNodes) nodes are here already")
            }
            let id = NodeID((nodes.keys.last?.rawValue ?? 0) + 1)
            nodes[id] = Node(
                id: id,
                identity: arrival.identity,
                role: arrival.role,
                name: arrival.name,
                incarnation: arrival.incarnation,
                standing: .alive,
                lastHeard: now,
                progressedAt: now,
                sequence: SequenceGate(after: arrival.sequence),
                session: nextSession()
            )
            nodes[id]?.machine = arrival.machine
            ids[arrival.identity] = id
            countPresent()
            epoch += 1
            return .joined(id, displaced: nil)
        }
        let isSameProcess = known.incarnation == arrival.incarnation
        if known.isPresent, !isSameProcess, known.lastHeard.duration(to: now) < settings.pingInterval * 2 {
            return .refused(
                .duplicateNode,
                "node \(known.id) (\(known.name)) is alive with the same identity"
            )
        }
        if isSameProcess, known.strikes >= settings.offerStrikes {
            return .refused(.nonFinite, "\(known.strikes) offers in a row were refused; start a new process")
        }
        var node = known
        node.role = arrival.role
        node.name = arrival.name
        node.machine = arrival.machine
        node.incarnation = arrival.incarnation
        node.standing = .alive
        node.isGone = false
        node.lastHeard = now
        node.progressedAt = now
        node.sequence = SequenceGate(after: arrival.sequence)
        node.session = nextSession()
        if !isSameProcess {
            node.progress = 0
            node.strikes = 0
            node.isDraining = false
            node.isQuarantined = false
        }
        nodes[node.id] = node
        if !known.isPresent || known.role != node.role { countPresent() }
        if known.isPresent, isSameProcess {
            return .resumed(node.id, recovered: known.standing == .suspect)
        }
        epoch += 1
        return .joined(node.id, displaced: known.isPresent ? known.incarnation : nil)
    }

    /// A number no session of this run had; the node's key, not the token, proves who speaks.
    private mutating func nextSession() -> SessionToken {
        lastSession += 1
        return SessionToken(lastSession)
    }

    /// Whether a message on the averaging plane belongs to a node's present session.
    func isCurrent(_ session: SessionToken, of node: NodeID) -> Bool {
        guard let known = nodes[node], known.isPresent else { return false }
        return known.session == session
    }

    /// Counts a message as life, if it is from a member's present process and none before it was lost.
    mutating func heard(_ sender: Sender, now: Instant) -> Hearing {
        guard var node = nodes[sender.node], node.incarnation == sender.incarnation else {
            let isDisplaced = nodes[sender.node]?.isPresent ?? false
            return isDisplaced
                ? .stranger(.duplicateNode, "a newer process took the place of node \(sender.node)")
                : .stranger(.staleEpoch, "node \(sender.node) is not a member; say hello")
        }
        guard node.isPresent else {
            return .stranger(.staleEpoch, "node \(sender.node) is \(node.standing.rawValue); say hello again")
        }
        let verdict = node.sequence.admit(sender.sequence)
        guard verdict != .gap else { return .gap }  // no life either: who does not say hello again is dead
        let recovered = node.standing == .suspect
        node.standing = .alive
        node.lastHeard = now
        nodes[sender.node] = node
        return verdict == .next ? .current(recovered: recovered) : .repeated
    }

    /// Takes a node's work counter; true when it worked since the last time.
    mutating func progressed(_ node: NodeID, to progress: UInt64, now: Instant) -> Bool {
        guard let last = nodes[node]?.progress, progress > last else { return false }
        nodes[node]?.progress = progress
        nodes[node]?.progressedAt = now
        return true
    }

    /// Lets a node's patience begin anew: it has just got work.
    mutating func began(_ node: NodeID, now: Instant) { nodes[node]?.progressedAt = now }

    /// Counts a refused offer.
    mutating func strike(_ node: NodeID) { nodes[node]?.strikes += 1 }

    /// Forgets a node's refused offers: one was committed.
    mutating func pardon(_ node: NodeID) { nodes[node]?.strikes = 0 }

    /// Marks a node as leaving once its work is done.
    mutating func drain(_ node: NodeID) { nodes[node]?.isDraining = true }

    /// Gives a node nothing new until it is another process.
    mutating func quarantine(_ node: NodeID) { nodes[node]?.isQuarantined = true }

    /// Ends a node's session; it may say hello again, and is waited for unless it goes for good.
    mutating func leave(_ node: NodeID, forGood: Bool) {
        guard nodes[node]?.isPresent ?? false else { return }
        nodes[node]?.standing = .left
        nodes[node]?.isGone = forGood
        countPresent()
        epoch += 1
    }

    /// Lets everyone's silence and idleness begin anew.
    mutating func forgive(now: Instant) {
        for node in nodes.values where node.isPresent {
            nodes[node.id]?.lastHeard = now
            nodes[node.id]?.progressedAt = now
        }
    }

    /// Looks for nodes that are silent too long.
    ///
    /// A gap of more than half a dead interval since the last tick is the coordinator's own (stopped, swapped
    /// out): then everyone looks late, and everyone is given a full dead interval again.
    mutating func tick(now: Instant) -> [Change] {
        let gap = lastTick.duration(to: now)
        lastTick = now
        if gap > settings.deadAfter / 2 {
            forgive(now: now)
            return [.stalled(gap)]
        }
        defer { countPresent() }
        return nodes.values.filter(\.isPresent).compactMap { node in
            let silence = node.lastHeard.duration(to: now)
            if silence >= settings.deadAfter {
                nodes[node.id]?.standing = .dead
                epoch += 1
                return .died(node.id)
            }
            guard silence >= settings.suspectAfter, node.standing == .alive else { return nil }
            nodes[node.id]?.standing = .suspect
            return .suspected(node.id)
        }
    }
}
