import ClusterMessages
import OrderedCollections

/// What the cluster waits for, in words for a person.
extension CoordinatorState {
    /// A reason for everything that does not progress; empty when nothing waits, or the run is finished.
    package func waitingOn(now: Instant) -> [String] {
        if isFinished { return [] }
        var reasons: [String] = []
        if pausedAt != nil { reasons.append("the run is paused") }
        if now < opensAt {
            reasons.append(
                "the restarted coordinator hears what nodes hold, for \(seconds(now, opensAt)) more"
            )
        }
        let survey = ledger.survey()
        reasons += membership.all.filter { !$0.isPresent && $0.strikes >= settings.offerStrikes }.map {
            "\($0.name) was turned away after \($0.strikes) refused offers"
        }
        reasons += membership.present(.rollout).filter(\.isQuarantined).map {
            "\($0.name) is in quarantine: two others made something else of the same batch"
        }
        reasons += membership.all.filter { $0.standing == .suspect }.map { node in
            let left = seconds(now, node.lastHeard + settings.deadAfter)
            return "\(node.name) is silent for \(seconds(node.lastHeard, now)), dead in \(left)"
        }
        return reasons + roundReasons(survey, now: now) + leaseReasons(survey, now: now)
            + (isOrdered ? orderReasons(survey, now: now) : assignmentReasons(survey))
    }

    private func roundReasons(_ survey: BatchLedger.Survey, now: Instant) -> [String] {
        let name = "round \(round.number)"
        let trainers = membership.present(.trainer)
        switch round.phase {
        case .ringing(let ring):
            return ring.owing.map { "\(name) is averaged by its members: \(called($0)) makes its share" }
        case .closing:
            return ["\(name) is being averaged and stored"]
        case .waiting:
            let away = round.awaited.filter(expected.contains)
            if !away.isEmpty, now < round.awaitedUntil {
                let left = seconds(now, round.awaitedUntil)
                return away.map { "\(name) waits for \(called($0)) to come back, \(left) at most" }
            }
            guard !trainers.isEmpty else { return ["\(name) waits for a trainer to join"] }
            let ready = trainers.map(\.id).filter(isReady)
            if round.number == RoundNumber.initial.next, ready.count < settings.trainersAtStart {
                return ["\(name) waits for \(settings.trainersAtStart) ready trainers, \(ready.count) so far"]
            }
            return trainers.filter { !isReady($0.id) && (ready.isEmpty || round.awaited.contains($0.id)) }.map
            {
                $0.isDraining
                    ? "\(name) waits for a trainer that does not leave, as \($0.name) does"
                    : "\(name) waits for \($0.name) to load the parameters of round \(parameters.round)"
            }
        case .open:
            var reasons = round.isCut ? ["\(name) ends early: a person asked for a checkpoint"] : []
            if let retry = round.retry, now < retry.at {
                reasons.append(
                    "\(name) could not be stored (\(retry.reason)), again in \(seconds(now, retry.at))"
                )
            }
            if let moment = round.reopensAt {
                reasons.append(
                    "\(name) lacks a quorum of \(round.required), opens anew in \(seconds(now, moment))"
                )
            }
            let late = trainers.filter {
                round.members.contains($0.id) && !round.isCounted($0.id, samples: survey.samples)
            }
            let away = round.members.filter {
                expected.contains($0) && !round.isCounted($0, samples: survey.samples)
            }
            let limit = round.closesAt.map { ", \(seconds(now, $0)) at most" } ?? ""
            reasons += away.map { "\(name) waits for \(called($0)) to come back\(limit)" }
            return reasons
                + late.map { "\(name) waits for \($0.name) (\(progress(of: $0.id, survey)))" }
        }
    }

    private func progress(of trainer: NodeID, _ survey: BatchLedger.Survey) -> String {
        let samples = survey.samples[trainer, default: 0]
        if let offer = round.offers[trainer] {
            return offer.completedAt == nil
                ? "offer \(Int((offer.received * 100).rounded()))% received"
                : "it offers \(offer.samples) samples, the ledger counts \(samples)"
        }
        if !isLoaded(trainer) {
            return "it has not loaded the parameters of round \(parameters.round)"
        }
        return survey.load(of: trainer).batches > 0
            ? "training, \(samples) samples so far" : "it has no trajectory, \(samples) samples so far"
    }

    private func leaseReasons(_ survey: BatchLedger.Survey, now: Instant) -> [String] {
        if survey.census.leased > 0 { return starvationReasons(survey, now: now) }
        guard isOrdered || survey.census.produced < settings.leadBatches,
            survey.census.pending > 0 || needsBatches(survey)
        else { return [] }
        let rollouts = membership.present(.rollout)
        if rollouts.isEmpty { return ["no rollout worker is here"] }
        if workers.contains(where: hasRoom) { return [] }
        if rollouts.allSatisfy({ $0.isDraining || $0.isQuarantined || credits.isClosed(by: $0.id) }) {
            return ["every rollout worker is about to leave, or in quarantine"]
        }
        let full = rollouts.filter { credits.window(of: $0.id).batches > 0 }
        return full.isEmpty
            ? ["no rollout has credit"]
            : full.map { "\($0.name) has no room: it keeps what it made until a round commits it" }
    }

    /// What is being made, when trainers have nothing else to do.
    private func starvationReasons(_ survey: BatchLedger.Survey, now: Instant) -> [String] {
        let idle = round.members.contains { trainer in
            membership[trainer]?.isPresent ?? false && survey.load(of: trainer).batches == 0
                && !round.isCounted(trainer, samples: survey.samples)
        }
        guard idle, !isSupplied(survey),
            let lease = ledger.batches.values.flatMap(\.leases).min(by: { $0.grantedAt < $1.grantedAt })
        else { return [] }
        let age = seconds(lease.grantedAt, now)
        return ["batch \(lease.batch) is being made by \(called(lease.node)), for \(age)"]
    }

    /// What keeps each member from its next batch in order.
    private func orderReasons(_ survey: BatchLedger.Survey, now: Instant) -> [String] {
        turns().compactMap { turn in
            let trainer = turn.trainer
            guard membership[trainer]?.isPresent ?? false, survey.load(of: trainer).batches == 0,
                let next = turn.batches.first(where: { ledger[$0]?.trainer == nil }),
                let batch = ledger[next], batch.stage == .produced, let trajectory = batch.trajectory
            else { return nil }
            let (holder, what) = (trajectory.holder, "batch \(next) waits for \(called(trainer))")
            if credits.window(of: trainer).byteCount < trajectory.byteCount {
                return
                    "batch \(next) has \(trajectory.byteCount) bytes, more than the window of \(called(trainer))"
            }
            if let moment = blocked[Route(trainer: trainer, holder: holder)] {
                return "\(what), which could not reach \(called(holder)), again in \(seconds(now, moment))"
            }
            if membership[holder]?.standing != .alive { return "\(called(holder)) does not answer" }
            return "\(what) to have credit"
        }
    }

    private func assignmentReasons(_ survey: BatchLedger.Survey) -> [String] {
        guard let next = ledger.waiting.first else { return [] }
        let trainers = round.members.filter { membership[$0]?.isPresent ?? false }
        let count = survey.census.produced
        let waiting = count == 1 ? "1 batch of trajectories waits" : "\(count) batches of trajectories wait"
        if trainers.isEmpty { return ["\(waiting) for a round with a trainer"] }
        let tooSmall = trainers.filter { credits.window(of: $0).byteCount < next.byteCount }
        guard tooSmall.count < trainers.count else {
            return ["batch \(next.batch) has \(next.byteCount) bytes, more than any trainer's window"]
        }
        let unreached = blocked.keys.filter { $0.holder == next.holder && trainers.contains($0.trainer) }
        if unreached.count == trainers.count { return ["no trainer could reach \(called(next.holder))"] }
        if membership[next.holder]?.standing != .alive { return ["\(called(next.holder)) does not answer"] }
        let able = trainers.contains { credits.admits(next.byteCount, to: $0, beside: survey.load(of: $0)) }
        return able ? [] : ["\(waiting) until a trainer has room"]
    }

    /// A node by the name that people gave it.
    func called(_ node: NodeID) -> String { membership[node]?.name ?? "node \(node)" }

    private func seconds(_ now: Instant, _ then: Instant) -> String {
        "\(max(0, now.duration(to: then).components.seconds)) s"
    }
}
