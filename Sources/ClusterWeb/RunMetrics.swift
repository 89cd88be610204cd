import ClusterMessages
import ClusterRuntime
import Coordination

/// A run's status as metrics: what an operator's alerts and graphs are made of.
///
/// Counters start at zero with the coordinator's process, or with a node's for what the node itself counts.
struct RunMetrics: Sendable {
    let families: [MetricFamily]

    init(_ status: RunStatus) {
        families =
            Self.cluster(status) + Self.batches(status) + Self.nodes(status.nodes) + Self.rounds(status)
            + Self.wire(status)
    }

    private static func cluster(_ status: RunStatus) -> [MetricFamily] {
        var state = MetricFamily("flowsteer_run_state", .gauge, "Whether the run is in this state.")
        for each in Message.RunState.allCases {
            state.add([("state", each.rawValue)], each == status.state ? 1 : 0)
        }
        var nodes = MetricFamily("flowsteer_nodes", .gauge, "Nodes ever met, by role and state.")
        for role in [Role.rollout, .trainer] {
            for standing in ["alive", "suspect", "quarantined", "dead", "left"] {
                let count = status.nodes.count { $0.role == role && $0.state == standing }
                nodes.add([("role", role.rawValue), ("state", standing)], Double(count))
            }
        }
        return [
            state, nodes,
            MetricFamily(
                "flowsteer_waiting_reasons",
                .gauge,
                "Things that do not progress; /status says which.",
                Double(status.waitingOn.count)
            ),
            MetricFamily(
                "flowsteer_rollouts_recommended",
                .gauge,
                "Rollout workers that would just keep up with the trainers: what to scale to.",
                status.figures.recommendedRollouts.map(Double.init)
            ),
            MetricFamily(
                "flowsteer_coordinator_uptime_seconds",
                .gauge,
                "Seconds since the coordinator's process began to serve.",
                status.elapsed
            ),
            MetricFamily(
                "flowsteer_coordinator_peak_memory_bytes",
                .gauge,
                "The most memory the coordinator ever had resident.",
                Double(status.peakMemoryByteCount)
            ),
        ]
    }

    private static func batches(_ status: RunStatus) -> [MetricFamily] {
        let (batches, figures) = (status.batches, status.figures)
        var states = MetricFamily("flowsteer_batches", .gauge, "Batches of prompts, by where they are.")
        for (name, count) in [
            ("pending", batches.pending), ("leased", batches.leased), ("produced", batches.produced),
            ("assigned", batches.assigned), ("consumed", batches.consumed),
            ("committed", batches.committed), ("dead", batches.dead),
        ] {
            states.add([("state", name)], Double(count))
        }
        var results = MetricFamily(
            "flowsteer_trajectories_total",
            .counter,
            "What became of leases and of trajectories, in batches."
        )
        results.add([("result", "produced")], Double(figures.producedBatches))
        for (name, kind) in [
            ("failed", Occurrence.Kind.leaseFailed), ("expired", .leaseExpired), ("hedged", .hedged),
            ("late", .lateResult), ("repeated", .repeatedResult), ("lost", .trajectoryLost),
            ("diverged", .diverged), ("audited", .audited),
        ] {
            results.add([("result", name)], events(kind, in: figures))
        }
        var uses = MetricFamily("flowsteer_trajectory_uses_total", .counter, "Uses of batches by trainers.")
        uses.add([("fresh", "true")], Double(figures.freshUses))
        uses.add([("fresh", "false")], Double(figures.repeatedUses))
        let used = figures.freshUses + figures.repeatedUses
        return [
            states, results, uses,
            MetricFamily(
                "flowsteer_fresh_fraction",
                .gauge,
                "Share of the uses that were a batch's first in its round.",
                used > 0 ? Double(figures.freshUses) / Double(used) : nil
            ),
            MetricFamily(
                "flowsteer_dead_letters",
                .gauge,
                "Batches given up after too many failed tries.",
                Double(batches.dead)
            ),
            MetricFamily(
                "flowsteer_lease_seconds",
                "Seconds from a batch's lease to its result, the rollout's queue included.",
                figures.leaseSeconds
            ),
            MetricFamily(
                "flowsteer_rollout_seconds",
                "Seconds a rollout worker solved a batch of trajectories.",
                figures.rolloutSeconds
            ),
        ]
    }

    private static func nodes(_ nodes: [RunStatus.Node]) -> [MetricFamily] {
        var seconds = MetricFamily(
            "flowsteer_node_seconds_total",
            .counter,
            "Where a node's time went since its process began: compute, wait or wire."
        )
        var samples = MetricFamily(
            "flowsteer_node_samples_total",
            .counter,
            "Samples a rollout solved, or a trainer trained on for the first time in a round."
        )
        var credit = MetricFamily(
            "flowsteer_outstanding_bytes",
            .gauge,
            "Trajectories outstanding with a node: kept by a rollout, or assigned to a trainer."
        )
        var memory = MetricFamily(
            "flowsteer_node_peak_memory_bytes",
            .gauge,
            "The most memory a node ever had resident."
        )
        for node in nodes {
            let labels: MetricFamily.Labels = [("node", node.name), ("role", node.role.rawValue)]
            seconds.add(labels + [("activity", "compute")], node.seconds.compute)
            seconds.add(labels + [("activity", "wait")], node.seconds.wait)
            seconds.add(labels + [("activity", "wire")], node.seconds.wire)
            samples.add(labels, Double(node.samples))
            credit.add(labels, Double(node.outstanding.byteCount))
            memory.add(labels, Double(node.peakMemoryByteCount))
        }
        return [seconds, samples, credit, memory]
    }

    private static func rounds(_ status: RunStatus) -> [MetricFamily] {
        let (figures, averaging) = (status.figures, status.averaging)
        var phases = MetricFamily(
            "flowsteer_round_seconds_total",
            .counter,
            "Seconds of committed rounds: training, from the first offer to the commit, until trainers go on."
        )
        phases.add(
            [("phase", "train")],
            max(0, averaging.seconds - averaging.committing - averaging.resuming)
        )
        phases.add([("phase", "commit")], averaging.committing)
        phases.add([("phase", "resume")], averaging.resuming)
        var offers = MetricFamily("flowsteer_offers_total", .counter, "Trainers' offers of parameters.")
        offers.add([("result", "begun")], Double(figures.events["offered"] ?? 0))
        offers.add([("result", "rejected")], events(.offerRejected, in: figures))
        offers.add([("result", "excluded")], events(.excluded, in: figures))
        offers.add([("result", "voided")], events(.voided, in: figures))
        var commits = MetricFamily(
            "flowsteer_checkpoint_seconds",
            .histogram,
            "Seconds to commit a round: averaging, the checkpoint's files, the ledger."
        )
        for (phase, histogram) in figures.commitSeconds.sorted(by: { $0.key < $1.key }) {
            commits.add([("phase", phase)], histogram)
        }
        var losses = MetricFamily("flowsteer_loss", .gauge, "The newest value of a loss term.")
        for (term, value) in status.losses.sorted(by: { $0.key < $1.key }) {
            losses.add([("term", term)], value)
        }
        return [
            MetricFamily(
                "flowsteer_round",
                .gauge,
                "The last committed round.",
                Double(status.round.rawValue)
            ),
            MetricFamily("flowsteer_rounds", .gauge, "Rounds that finish the run.", Double(status.rounds)),
            phases, offers, commits, losses,
            MetricFamily(
                "flowsteer_rounds_failed_total",
                .counter,
                "Commits of rounds that failed, such as on a full disk.",
                events(.roundFailed, in: figures)
            ),
            MetricFamily(
                "flowsteer_checkpoint_last_success_timestamp_seconds",
                .gauge,
                "When the last checkpoint was committed, in seconds since 1970.",
                figures.lastCheckpointTime
            ),
            MetricFamily(
                "flowsteer_ledger_commit_seconds",
                "Seconds of the ledger's transactions.",
                figures.ledgerSeconds
            ),
        ]
    }

    private static func wire(_ status: RunStatus) -> [MetricFamily] {
        var bytes = MetricFamily(
            "flowsteer_bytes_total",
            .counter,
            "Bytes of messages through the coordinator's sockets; of trajectories, of those that trainers began with."
        )
        var errors = MetricFamily(
            "flowsteer_protocol_errors_total",
            .counter,
            "Messages thrown away and connections cut, by reason."
        )
        for door in status.doors {
            bytes.add([("plane", door.name), ("direction", "in")], Double(door.byteCount))
            bytes.add([("plane", door.name), ("direction", "out")], Double(door.sentByteCount))
            for (code, count) in [
                ("too_many_frames", door.tooManyFrames), ("too_large", door.tooLarge),
                ("too_fast", door.tooFast), ("cut", door.cut),
            ] {
                errors.add([("plane", door.name), ("code", code)], Double(count))
            }
        }
        bytes.add(
            [("plane", "trajectories"), ("direction", "fetched")],
            Double(status.figures.fetchedByteCount)
        )
        var events = MetricFamily("flowsteer_events_total", .counter, "Lines of the run's log, by kind.")
        // From 0 on, so that the first of a kind is an increase.
        let kinds = Set(Occurrence.Kind.allCases.map(\.rawValue)).union(status.figures.events.keys)
        for kind in kinds.sorted() {
            events.add([("kind", kind)], Double(status.figures.events[kind] ?? 0))
        }
        return [
            bytes, errors, events,
            MetricFamily(
                "flowsteer_auth_failures_total",
                .counter,
                "Messages and connections turned away.",
                Double(status.refusals)
            ),
        ]
    }

    private static func events(_ kind: Occurrence.Kind, in figures: RunFigures) -> Double {
        Double(figures.events[kind.rawValue] ?? 0)
    }
}
