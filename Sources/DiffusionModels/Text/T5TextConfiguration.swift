import Foundation
package import Tensors

/// The shape of a T5 encoder: `config.json` of a transformers `T5EncoderModel`.
package struct T5TextConfiguration: Sendable, Equatable {
    package var vocabularySize: Int
    /// Features of a token (`d_model`).
    package var width: Int
    package var headCount: Int
    /// Features of a head (`d_kv`); the heads together need not be as wide as a token.
    package var headWidth: Int
    /// Features inside the feed-forward (`d_ff`).
    package var innerWidth: Int
    package var layerCount: Int
    /// Distances between tokens are told apart in so many buckets.
    package var bucketCount: Int
    /// Distances from here on share the last bucket.
    package var largestDistance: Int
    package var activation: Activation
    /// True where the feed-forward multiplies two projections, of which one is activated (T5 1.1).
    package var isGated: Bool
    package var normEpsilon: Float

    /// The bucket of the distance from a query to a key, in tokens (Raffel and others 2020, §2.1).
    ///
    /// A half of the buckets is for keys that follow. Of each half the first half are for single distances; the
    /// others widen with the logarithm. In 32-bit arithmetic, as the networks were trained.
    func bucket(ofDistance distance: Int) -> Int {
        let half = bucketCount / 2
        let exact = half / 2
        let first = distance > 0 ? half : 0
        let magnitude = abs(distance)
        guard magnitude >= exact else { return first + magnitude }
        let ratio = log(Float(magnitude) / Float(exact))
        let range = Float(log(Double(largestDistance) / Double(exact)))
        return first + min(half - 1, exact + Int(ratio / range * Float(half - exact)))
    }
}
