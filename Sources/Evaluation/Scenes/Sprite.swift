/// One kind of thing in an emoji scene: an object, or a shape that has a colour.
package struct Sprite: Sendable, Hashable {
    package let name: String
    /// The colour of a shape; nil for an object.
    package let color: String?

    package init(name: String, color: String? = nil) {
        self.name = name
        self.color = color
    }

    /// An object by its name, a shape as "colour shape".
    package var noun: String { color.map { "\($0) \(name)" } ?? name }

    /// The noun after "a" or "an".
    package var withArticle: String {
        let takesAn = noun.first.map { "aeiou".contains($0) } ?? false
        return (takesAn && noun != "unicorn" ? "an " : "a ") + noun
    }

    /// The name of several objects, by rule: a fish stays a fish, and grapes become "grapeses" as the teacher
    /// learnt it.
    package var plural: String {
        if name == "fish" { return name }
        if name.hasSuffix("y"), !"aeiou".contains(name.dropLast().last ?? " ") {
            return name.dropLast() + "ies"
        }
        return name + (["s", "x", "sh", "ch"].contains(where: name.hasSuffix) ? "es" : "s")
    }
}
