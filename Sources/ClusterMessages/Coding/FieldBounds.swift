/// The most bytes of UTF-8 a field may have.
struct TextBound {
    let byteCount: Int

    static let name = TextBound(byteCount: 128)
    static let build = TextBound(byteCount: 256)
    static let endpoint = TextBound(byteCount: 256)
    /// Words for people only.
    static let prose = TextBound(byteCount: 4096)
    static let prompt = TextBound(byteCount: 16 << 10)
    static let configuration = TextBound(byteCount: 512 << 10)

    /// The characters of a CURVE key in Z85 (ZeroMQ RFC 32).
    static let publicKeyByteCount = 40
}

/// The most elements a list may have.
struct CountBound {
    let count: Int

    static let leases = CountBound(count: 1024)
    static let trajectories = CountBound(count: 8192)
    static let prompts = CountBound(count: 4096)
    static let publicKeys = CountBound(count: 1024)
    static let holders = CountBound(count: Message.Manifest.largestHolderCount)
    static let nodes = CountBound(count: 4096)
    static let measurements = CountBound(count: 64)
    static let segments = CountBound(count: 64)
    static let ring = CountBound(count: Message.RingOpen.largestMemberCount)
    /// A few segments of every member.
    static let distances = CountBound(count: 8 * Message.RingOpen.largestMemberCount)
}

/// The largest number of bytes, batches, rounds and microseconds (8.9 years).
///
/// Small enough that sums and products of a few of them overflow nowhere, whatever a peer sends.
let largestNumber: UInt64 = 1 << 48

/// The largest attempt a peer may name.
let largestAttempt: UInt32 = 1 << 31
