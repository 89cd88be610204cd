import ClusterMessages
import Coordination
import Distillation
import Foundation
import Testing

@testable import ClusterRuntime

/// What a round of many trainers costs the coordinator.
@Suite(.timeLimit(.minutes(5))) struct AveragingMemoryTests {
    /// `FLOWSTEER_AVERAGING_RANK=1400` makes each offer about 64 MiB; unset, this figure is not taken.
    private static let rank = ProcessInfo.processInfo.environment["FLOWSTEER_AVERAGING_RANK"].flatMap {
        Int($0)
    }

    @Test(.enabled(if: rank != nil, "a figure, taken by hand: FLOWSTEER_AVERAGING_RANK=1400"))
    func `the coordinator's peak memory in a round of eight trainers`() async throws {
        let rank = try #require(Self.rank)
        for count in [1, 8] {
            try await withRunFolder { folder in
                let run = try TestRun(in: folder, rounds: 1, trainers: count) { configuration in
                    configuration.network.rank = rank
                    configuration.network.targets = ["attn.to_q", "attn.to_k", "attn.to_v", "ff.net.2"]
                    configuration.cluster.suspectAfter = .seconds(500)
                    configuration.cluster.deadAfter = .seconds(600)
                    configuration.cluster.leadBatches = count
                    configuration.cluster.trainersAtStart = count
                    configuration.averaging.momentsPeriod = 0
                }
                try await run.serving { service in
                    let crowd = try await Crowd(of: run, at: service)
                    let before = peakMemoryByteCount()
                    let start = ContinuousClock.now
                    for trainer in crowd.trainers {
                        try await trainer.offer(TestOffer(run.initial, for: run))
                    }
                    for trainer in crowd.trainers { _ = try await trainer.committed() }
                    let seconds = start.duration(to: .now).inSeconds
                    let size = run.initial.segments.reduce(0) { $0 + $1.byteCount }
                    print(
                        """
                        \(count) trainers of \(size >> 20) MiB: peak \(before >> 20) MiB before the offers, \
                        \(peakMemoryByteCount() >> 20) MiB after, \(seconds) s
                        """
                    )
                    await crowd.close()
                }
            }
        }
    }
}
