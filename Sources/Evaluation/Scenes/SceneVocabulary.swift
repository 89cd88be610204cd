/// Reads captions of emoji scenes: the inverse of ``SceneCaption/text``.
package struct SceneVocabulary: Sendable {
    /// Sprites by their noun after "a" or "an".
    private let sprites: [String: Sprite]
    /// Objects by their plural.
    private let plurals: [String: Sprite]

    package init(_ catalog: SpriteCatalog) {
        let all = catalog.objects + catalog.shapes
        sprites = Dictionary(all.map { ($0.withArticle, $0) }) { first, _ in first }
        plurals = Dictionary(catalog.objects.map { ($0.plural, $0) }) { first, _ in first }
    }

    /// The scene that a text asks for; nil when it is not worded as a scene's caption.
    package func caption(_ text: String) -> SceneCaption? {
        if let sprite = sprites[text] { return sprite.color == nil ? .singleObject(sprite) : .colors(sprite) }
        for count in SceneCaption.counts {
            let prefix = SceneCaption.numeral(count) + " "
            guard text.hasPrefix(prefix) else { continue }
            return plurals[String(text.dropFirst(prefix.count))].map { .counting($0, count: count) }
        }
        for relation in SceneCaption.Relation.allCases {
            guard let (first, second) = pair(in: text, joinedBy: " \(relation.rawValue) ") else { continue }
            return first.color == nil ? .position(first, relation, second) : nil
        }
        return pair(in: text, joinedBy: " and ").map { first, second in
            first.color == nil ? .twoObject(first, second) : .colorAttribution(first, second)
        }
    }

    /// Two different sprites, both with a colour or both without.
    private func pair(in text: String, joinedBy words: String) -> (Sprite, Sprite)? {
        guard let range = text.firstRange(of: words), let first = sprites[String(text[..<range.lowerBound])],
            let second = sprites[String(text[range.upperBound...])], first != second,
            (first.color == nil) == (second.color == nil)
        else { return nil }
        return (first, second)
    }
}
