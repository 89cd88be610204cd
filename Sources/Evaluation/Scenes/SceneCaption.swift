/// What an emoji scene shows, and the words for it.
package enum SceneCaption: Sendable, Hashable {
    /// Where the first of two objects stands to the second.
    package enum Relation: String, Sendable, CaseIterable {
        case leftOf = "left of"
        case rightOf = "right of"
        case above
        case below
    }

    case singleObject(Sprite)
    case colors(Sprite)
    /// Two, three or four of one object.
    case counting(Sprite, count: Int)
    case twoObject(Sprite, Sprite)
    case position(Sprite, Relation, Sprite)
    case colorAttribution(Sprite, Sprite)

    package var task: SceneTask {
        switch self {
        case .singleObject: .singleObject
        case .colors: .colors
        case .counting: .counting
        case .twoObject: .twoObject
        case .position: .position
        case .colorAttribution: .colorAttribution
        }
    }

    /// The caption as the teacher was trained on it, for example `a cat left of a pizza`.
    package var text: String {
        switch self {
        case .singleObject(let sprite), .colors(let sprite):
            sprite.withArticle
        case .counting(let sprite, let count):
            "\(Self.numeral(count)) \(sprite.plural)"
        case .twoObject(let first, let second), .colorAttribution(let first, let second):
            "\(first.withArticle) and \(second.withArticle)"
        case .position(let first, let relation, let second):
            "\(first.withArticle) \(relation.rawValue) \(second.withArticle)"
        }
    }

    /// The counts that captions have words for.
    static let counts = 2...4

    static func numeral(_ count: Int) -> String {
        precondition(counts.contains(count), "scenes count from two to four, not to \(count)")
        return ["two", "three", "four"][count - counts.lowerBound]
    }
}
