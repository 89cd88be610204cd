/// How much a lane takes through a network at once: so many tokens that products are full, so few that
/// activations stay in the cache.
package enum LaneLoad {
    /// Measured on networks from 160 to 384 features wide.
    private static let tokens = 640

    /// Samples of `tokens` tokens each, one at least.
    package static func samples(tokens: Int) -> Int { max(1, Self.tokens / tokens) }
}
