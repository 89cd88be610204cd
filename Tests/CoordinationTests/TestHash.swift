import ClusterMessages

/// A hash that is nothing but a name.
func testHash(_ kind: UInt64, _ number: UInt64) -> ContentHash {
    let bytes = [kind, number, 0, 0].flatMap { word in
        (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * $0)) }
    }
    guard let hash = ContentHash(bytes) else { preconditionFailure("32 bytes are a hash") }
    return hash
}
