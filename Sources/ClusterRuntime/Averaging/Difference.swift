import ClusterMessages
import Tensors

/// An offer's numbers written as what they differ from the base by, rounded.
///
/// A difference is small beside the number, so it needs fewer bits than the number does (cluster systems exchange
/// differences: DiLoCo, INTELLECT-1). What rounding takes away is kept, and added to the next difference: so the mean
/// over rounds loses nothing (error feedback, Karimireddy et al. 2019, arXiv 1901.09847).
struct Difference: Sendable {
    /// As they are sent.
    let bytes: [UInt8]
    /// What whoever receives them makes of them.
    let values: Tensor
    /// What rounding took away.
    let residual: Tensor

    /// - Parameter residual: what rounding took away the last time.
    init(of values: Tensor, to base: Tensor, residual: Tensor?, as encoding: NumberEncoding) {
        let wanted = values.subtracting(base)
        if let residual { wanted.accumulate(residual) }
        bytes = encoding.encode(wanted)
        let rounded = encoding.decode(bytes, count: wanted.count)
        self.values = base.adding(rounded)
        self.residual = wanted.subtracting(rounded)
    }

    /// Numbers read from an offer's bytes: 32-bit floats are those themselves, all else differs from the base.
    static func values(_ bytes: [UInt8], _ encoding: NumberEncoding, base: Tensor) -> Tensor {
        let read = encoding.decode(bytes, count: base.count)
        return encoding == .float32 ? read : base.adding(read)
    }
}
