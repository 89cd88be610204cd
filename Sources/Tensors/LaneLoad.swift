/// How much a lane takes through a network at once: so many tokens that products are full and weights are read
/// seldom, so few that activations stay in the cache.
package enum LaneLoad: Int, Sendable {
    /// Without gradients, where an activation is forgotten soon.
    case inference = 1344
    /// With gradients, where activations wait for the way back.
    case training = 672

    /// Samples of `tokens` tokens each, one at least.
    package func samples(tokens: Int) -> Int { max(1, rawValue / tokens) }
}
