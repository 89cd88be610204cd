import ClusterMessages

@testable import Coordination

/// A hash that is nothing but a name.
func testHash(_ kind: UInt64, _ number: UInt64) -> ContentHash {
    let bytes = [kind, number, 0, 0].flatMap { word in
        (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * $0)) }
    }
    guard let hash = ContentHash(bytes) else { preconditionFailure("32 bytes are a hash") }
    return hash
}

/// The hash of a batch's trajectory.
func trajectoryHash(_ batch: BatchID) -> ContentHash { testHash(1, batch.rawValue) }

/// The parameters of a round.
func version(_ round: UInt64) -> ParameterVersion {
    ParameterVersion(round: RoundNumber(round), hash: testHash(0, round))
}

func seconds(_ count: Double) -> Instant { Instant(nanoseconds: Int64(count * 1e9)) }

/// A snapshot of nothing but initial parameters.
let beginning = RunSnapshot(parameters: version(0))
