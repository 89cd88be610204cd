import ClusterMessages

/// What a trainer used in one round, told the way the coordinator counts it.
///
/// A use of a batch is as many draws as it has samples, however many steps they took; what is left of a use when
/// the round ends is a smaller one. So the samples reported are exactly those that entered losses.
struct RoundUses: Sendable {
    private struct Tally {
        let source: BatchSource
        var drawn = 0
        var reported = 0
        var uses = 0
    }

    let round: RoundNumber
    /// Every report of the round, in order: all of it is said again after a welcome.
    private(set) var reports: [Message.Consumed] = []
    private var tallies: [Tally] = []

    /// A round without steps.
    init(_ round: RoundNumber) { self.round = round }

    /// Samples that entered losses.
    var sampleCount: Int { tallies.reduce(0) { $0 + $1.drawn } }

    /// Counts a step's draws; returns the uses they complete.
    mutating func count(_ draws: [SegmentSupply.Draw], step: Int) -> [Message.Consumed] {
        let before = reports.count
        for draw in draws {
            let index = tally(of: draw.source)
            tallies[index].drawn += draw.count
            while tallies[index].drawn - tallies[index].reported >= draw.source.sampleCount {
                report(index, samples: draw.source.sampleCount, step: step)
            }
        }
        return Array(reports[before...])
    }

    /// Ends the round: returns the uses that were begun only.
    mutating func close(step: Int) -> [Message.Consumed] {
        let before = reports.count
        for index in tallies.indices where tallies[index].drawn > tallies[index].reported {
            report(index, samples: tallies[index].drawn - tallies[index].reported, step: step)
        }
        return Array(reports[before...])
    }

    private mutating func tally(of source: BatchSource) -> Int {
        if let index = tallies.firstIndex(where: { $0.source == source }) { return index }
        tallies.append(Tally(source: source))
        return tallies.count - 1
    }

    private mutating func report(_ index: Int, samples: Int, step: Int) {
        tallies[index].reported += samples
        tallies[index].uses += 1
        reports.append(
            Message.Consumed(
                batch: tallies[index].source.batch,
                hash: tallies[index].source.hash,
                round: round,
                localStep: step,
                sampleCount: samples,
                useCount: tallies[index].uses
            )
        )
    }
}
