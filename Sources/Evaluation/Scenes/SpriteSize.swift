/// How large a sprite is drawn.
package enum SpriteSize: Sendable, CaseIterable {
    /// Alone in its scene.
    case big
    /// One of several.
    case small

    /// The edge of its square, in pixels.
    package var pixelCount: Int {
        switch self {
        case .big: 26
        case .small: 15
        }
    }
}
