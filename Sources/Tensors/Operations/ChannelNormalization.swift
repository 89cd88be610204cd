import CKernels

/// A group norm whose statistics are known: (x − center) · factor + offset for every channel, and SiLU if asked.
///
/// Whoever reads the picture applies it to some rows at a time, so that no normalised copy of the picture exists.
package struct ChannelNormalization: Sendable {
    /// `[channels]`, as are `factor` and `offset`.
    let center: Tensor
    let factor: Tensor
    let offset: Tensor
    let activates: Bool
}

extension Tape {
    /// Statistics of a group norm over all positions of a picture (Wu & He 2018, equation 1).
    ///
    /// They are summed in double precision over runs of a fixed number of positions, so they are the same for any number
    /// of lanes.
    /// - Parameters:
    ///   - x: `[height, width, channels]`.
    ///   - weight: `[channels]`, as is `bias`.
    ///   - activates: SiLU follows.
    package func channelNormalization(
        of x: Tensor,
        groups: Int,
        weight: Tensor,
        bias: Tensor,
        epsilon: Float,
        activates: Bool
    ) -> ChannelNormalization {
        let channels = x.shape[2]
        let positions = x.shape[0] * x.shape[1]
        precondition(
            positions > 0 && channels % groups == 0 && weight.count == channels && bias.count == channels,
            "\(groups) groups of the channels of shape \(x.shape)"
        )
        // Any value near the mean will do: it keeps the difference of the two sums from cancelling.
        let center = x.reshaped([positions, channels]).row(0)
        let run = 2048
        let runs = LaneResults(
            repeating: ChannelMoments(channels: 0),
            count: (positions + run - 1) / run
        )
        share(runs.values.count, least: 1 + (1 << 16) / (run * channels)) { _, range in
            for index in range {
                let part = x.reshaped([positions, channels])
                    .rows(index * run..<min((index + 1) * run, positions))
                runs[index] = ChannelMoments(of: part, around: center)
            }
        }
        let moments = runs.values.reduce(into: ChannelMoments(channels: channels)) { $0.add($1) }
        let statistics = moments.groups(
            groups,
            center: center.values,
            positions: positions,
            epsilon: Double(epsilon)
        )
        let factors = zip(statistics.inverses, weight.values).map { Float($0 * Double($1)) }
        return ChannelNormalization(
            center: Tensor(statistics.means.map { Float($0) }, shape: [channels]),
            factor: Tensor(factors, shape: [channels]),
            offset: bias,
            activates: activates
        )
    }
}

/// Sums over positions of every channel's distance from a centre, and of its square.
private struct ChannelMoments: Sendable {
    private var sums: [Double]
    private var squares: [Double]

    init(channels: Int) {
        sums = [Double](repeating: 0, count: channels)
        squares = sums
    }

    init(of x: Tensor, around center: Tensor) {
        self.init(channels: x.shape[1])
        unsafe fs_channel_moments(x.pointer, center.pointer, &sums, &squares, x.shape[0], x.shape[1])
    }

    mutating func add(_ other: ChannelMoments) {
        for channel in sums.indices {
            sums[channel] += other.sums[channel]
            squares[channel] += other.squares[channel]
        }
    }

    /// Every channel's group's mean and 1 / √(variance + epsilon).
    func groups(_ count: Int, center: [Float], positions: Int, epsilon: Double) -> (
        means: [Double], inverses: [Double]
    ) {
        let size = sums.count / count
        let n = Double(positions)
        var means: [Double] = []
        var inverses: [Double] = []
        for group in 0..<count {
            let channels = group * size..<(group + 1) * size
            let own = channels.map { Double(center[$0]) + sums[$0] / n }
            let mean = own.reduce(0, +) / Double(size)
            let squared = zip(channels, own).reduce(0.0) { total, channel in
                let (index, ownMean) = channel
                let within = squares[index] / n - (sums[index] / n) * (sums[index] / n)
                return total + max(0, within) + (ownMean - mean) * (ownMean - mean)
            }
            let inverse = 1 / (squared / Double(size) + epsilon).squareRoot()
            means += [Double](repeating: mean, count: size)
            inverses += [Double](repeating: inverse, count: size)
        }
        return (means, inverses)
    }
}
