import ClusterMessages
import Tensors

/// Puts a ring's mean together from the shares that its members serve.
struct RingGathering: Sendable {
    let network: NodeNetwork
    let partition: RingPartition
    /// How long a member may send nothing.
    let patience: Duration
    /// Counts what arrives, where somebody looks at it.
    var meter: WorkMeter?

    /// The mean of each segment, `[count]`, in the partition's order.
    ///
    /// - Parameters:
    ///   - means: where the shares are, in order.
    ///   - own: the share that is here; the ones after it are fetched first, so that members do not ask one of them at
    ///     the same time.
    func gather(_ means: [Message.RingMean], own: (member: Int, bytes: [UInt8])? = nil) async throws
        -> [Tensor]
    {
        guard means.count == partition.memberCount else {
            throw NodeError.wrongBytes(
                peer: "the coordinator",
                subject: "a ring's mean",
                expected: "\(partition.memberCount) shares",
                actual: "\(means.count)"
            )
        }
        let values = partition.segments.map { Tensor.zeros([$0.elementCount]) }
        let first = own.map { $0.member + 1 } ?? 0
        for member in means.indices.map({ ($0 + first) % means.count }) {
            let isHere = member == own?.member
            let bytes = isHere ? own?.bytes ?? [] : try await fetch(means[member], of: member)
            scatter(bytes, of: member, into: values)
        }
        return values
    }

    private func fetch(_ mean: Message.RingMean, of member: Int) async throws -> [UInt8] {
        let byteCount = partition.meanByteCount(for: member)
        guard mean.byteCount == byteCount else {
            throw NodeError.wrongBytes(
                peer: mean.endpoint,
                subject: "share \(member) of the mean",
                expected: "\(byteCount) bytes",
                actual: "\(mean.byteCount)"
            )
        }
        guard byteCount > 0 else { return [] }
        return try await network.withLink(
            to: mean.endpoint,
            serverKey: mean.publicKey,
            peer: "member \(member) of the ring"
        ) { link in
            var fetch = ChunkFetch(link: link, plane: .ring)
            fetch.patience = patience
            let bytes = try await fetch.bytes(of: mean.hash, byteCount: byteCount)
            meter?.progressed()
            return bytes
        }
    }

    private func scatter(_ bytes: [UInt8], of member: Int, into values: [Tensor]) {
        var start = 0
        for (segment, target) in values.enumerated() {
            let numbers = partition.numbers(of: segment, for: member)
            guard !numbers.isEmpty else { continue }
            let end = start + numbers.count * ScalarType.float32.byteCount
            let share = Tensor(decoding: Array(bytes[start..<end]), as: .float32, shape: [numbers.count])
            target.rows(numbers).copy(from: share)
            start = end
        }
    }
}
