package import Tensors

/// The squared Fréchet distance of two sets of pictures, both taken as normal distributions of their
/// ``PictureFeatures`` (Dowson & Landau 1982): ‖μ − ν‖² + tr Σ + tr T − 2 tr (Σ^½ T Σ^½)^½.
///
/// It has the form of the FID of Heusel et al. 2017 and no number in common with it: that one's features are a
/// trained network's. It is not 0 for two finite sets of one distribution, and larger for small sets, so it
/// compares only where the sets are equally large.
package enum FrechetDistance {
    /// Between two batches `[samples, 3, height, width]` in model space of two pictures or more each.
    ///
    /// - Returns: nil where pictures have no three channels or their edges are no multiples of four.
    package static func squared(_ x: Tensor, _ y: Tensor) -> Double? {
        guard x.shape.count == 4, y.shape.count == 4, x.shape[1] == 3, y.shape[1] == 3,
            x.shape[0] >= 2, y.shape[0] >= 2,
            PictureFeatures.accepts(width: x.shape[3], height: x.shape[2]),
            PictureFeatures.accepts(width: y.shape[3], height: y.shape[2])
        else { return nil }
        return squared(moments(of: x), moments(of: y))
    }

    /// Between the normal distributions of two means and covariances.
    static func squared(_ x: Moments, _ y: Moments) -> Double {
        let shift = zip(x.mean, y.mean).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        let root = x.covariance.squareRoot
        let inner = root.multiplied(by: y.covariance).multiplied(by: root)
        let cross = inner.eigenvalues.reduce(0) { $0 + max($1, 0).squareRoot() }
        return max(0, shift + x.covariance.trace + y.covariance.trace - 2 * cross)
    }

    struct Moments {
        let mean: [Double]
        let covariance: SymmetricMatrix
    }

    private static func moments(of pictures: Tensor) -> Moments {
        Moments(ofRows: (0..<pictures.shape[0]).map { PictureFeatures.features(of: pictures.row($0)) })
    }
}

extension FrechetDistance.Moments {
    /// Mean and unbiased covariance of two rows or more.
    init(ofRows rows: [[Double]]) {
        let (count, size) = (Double(rows.count), rows[0].count)
        let mean = (0..<size).map { column in rows.reduce(0) { $0 + $1[column] } / count }
        var elements = [Double](repeating: 0, count: size * size)
        for row in rows {
            let centered = zip(row, mean).map(-)
            for i in 0..<size {
                for j in 0..<size { elements[i * size + j] += centered[i] * centered[j] / (count - 1) }
            }
        }
        self.init(mean: mean, covariance: SymmetricMatrix(size: size, elements: elements))
    }
}
