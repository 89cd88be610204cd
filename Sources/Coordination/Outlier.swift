package import ClusterMessages

/// A complete offer that is left out of its round because it went much farther than the others.
package struct Outlier: Sendable, Equatable {
    /// The trainer.
    package let node: NodeID
    /// What is wrong with its offer, for a person.
    package let reason: String
}

extension AveragingRound {
    /// Offers needed to tell which of them is out of line.
    private static let leastForOutliers = 3

    /// Those of `counted` whose offers went farther from the base than `outlierFactor` times the median.
    ///
    /// Each segment of parameters (student, discriminator) is looked at by itself. Two offers that differ do not tell which
    /// one is wrong, and where most did not move at all there is no measure.
    func outliers(among counted: [NodeID]) -> [Outlier] {
        let known = counted.compactMap { node in offers[node].map { (node: node, distances: $0.distances) } }
        let segments = known.map(\.distances.count).min() ?? 0
        guard settings.outlierFactor > 0 else { return [] }
        var found: [Outlier] = []
        for segment in 0..<segments {
            let distances = known.map(\.distances[segment]).sorted()
            let median = distances[(distances.count - 1) / 2]
            for (node, own) in known where !found.contains(where: { $0.node == node }) {
                let distance = own[segment]
                let isFar =
                    distances.count >= Self.leastForOutliers && median > 0
                    && distance > settings.outlierFactor * median
                guard isFar || !distance.isFinite else { continue }
                let reason = "segment \(segment) is \(distance) away from the base, the median is \(median)"
                found.append(Outlier(node: node, reason: reason))
            }
        }
        return found
    }
}
