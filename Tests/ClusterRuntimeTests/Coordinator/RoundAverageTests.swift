import ClusterMessages
import Coordination
import Foundation
import Tensors
import Testing

@testable import ClusterRuntime

/// Rounds of several trainers through a real coordinator.
@Suite(.serialized, .timeLimit(.minutes(2))) struct RoundAverageTests {
    /// Trainers' offers in the order of their numbers, and the hash of the state that comes of them.
    private func commit(
        order: [Int],
        exchange: AveragingSettings.Exchange = .float32
    ) async throws -> (offers: [ParameterBytes], committed: ContentHash, initial: ParameterBytes) {
        try await withRunFolder { folder in
            let run = try TestRun(in: folder, rounds: 1, trainers: order.count) { configuration in
                configuration.cluster.suspectAfter = .seconds(50)
                configuration.cluster.deadAfter = .seconds(60)
                configuration.cluster.leadBatches = order.count
                configuration.cluster.trainersAtStart = order.count
                configuration.averaging.momentsPeriod = 1
                configuration.averaging.exchange = exchange
            }
            let offers = (0..<order.count).map { trainer in
                ParameterBytes(
                    run.initial.segments.map { segment in
                        let moved = Tensor(
                            segment.values.values.enumerated().map { index, value in
                                value + Float((index * 31 + trainer * 17) % 257) / 1000
                            },
                            shape: [segment.values.count]
                        )
                        return .init(name: segment.name, values: moved)
                    }
                )
            }
            return try await run.serving { service in
                let crowd = try await Crowd(of: run, at: service)
                #expect(crowd.trainers.map(\.id) == crowd.trainers.map(\.id).sorted())
                for index in order {
                    try await crowd.trainers[index].offer(TestOffer(offers[index], for: run))
                }
                let committed = try await crowd.trainers[0].committed()
                await crowd.close()
                return (offers, committed, run.initial)
            }
        }
    }

    @Test(arguments: [[0, 1, 2], [2, 0, 1]])
    func `offers are averaged from the disk as whole ones would be, in whatever order they came`(order: [Int])
        async throws
    {
        let (offers, committed, initial) = try await commit(order: order)
        let expected = ParameterBytes(
            initial.segments.map { segment in
                let members = offers.compactMap { $0[segment.name].map { (values: $0.values, samples: 2) } }
                return .init(name: segment.name, values: OuterStep.mean(members))
            }
        )
        #expect(committed == expected.hash)
    }

    @Test(arguments: [AveragingSettings.Exchange.float16, .int8])
    func `rounded differences are averaged as the numbers they stand for`(
        exchange: AveragingSettings.Exchange
    )
        async throws
    {
        let (offers, committed, initial) = try await commit(order: [1, 0], exchange: exchange)
        var averaging = AveragingSettings()
        averaging.exchange = exchange
        let expected = ParameterBytes(
            initial.segments.map { segment in
                let encoding = StateSegment(rawValue: segment.name).map(averaging.encoding) ?? .float32
                let members = offers.compactMap { offer in
                    offer[segment.name].map { offered in
                        let values =
                            encoding == .float32
                            ? offered.values
                            : Difference(
                                of: offered.values,
                                to: segment.values,
                                residual: nil,
                                as: encoding
                            ).values
                        return (values: values, samples: 2)
                    }
                }
                return .init(name: segment.name, values: OuterStep.mean(members))
            }
        )
        #expect(committed == expected.hash)
    }
}
