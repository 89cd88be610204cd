package import Tensors

/// A caption with its sprites in their places.
package struct Scene: Sendable, Hashable {
    /// The edge of a scene's picture, in pixels.
    package static let pixelCount = 32

    /// A sprite somewhere.
    package struct Placement: Sendable, Hashable {
        package let sprite: Sprite
        package let size: SpriteSize
        /// Its centre, in pixels from the left; half the size, rounded down, lies to the left of it.
        package let x: Int
        /// Its centre, in pixels from the top.
        package let y: Int

        package init(_ sprite: Sprite, _ size: SpriteSize, x: Int, y: Int) {
            self.sprite = sprite
            self.size = size
            self.x = x
            self.y = y
        }

        /// The left and upper edge of its square.
        var corner: Corner { (x - size.pixelCount / 2, y - size.pixelCount / 2) }
    }

    package let caption: SceneCaption
    /// In the order in which they are drawn.
    package let placements: [Placement]

    /// Places a caption's sprites by chance, as `teacher/SCENES.md` says.
    package init(_ caption: SceneCaption, placedBy stream: inout RandomStream) {
        self.caption = caption
        switch caption {
        case .singleObject(let sprite), .colors(let sprite):
            let (x, y) = (16 + stream.offset(2), 16 + stream.offset(2))
            placements = [Placement(sprite, .big, x: x, y: y)]
        case .counting(let sprite, let count):
            placements = stream.shuffled([(8, 8), (24, 8), (8, 24), (24, 24)]).prefix(count).map { x, y in
                Placement(sprite, .small, x: x + stream.offset(1), y: y + stream.offset(1))
            }
        case .position(let first, let relation, let second):
            let isReversed = relation == .rightOf || relation == .below
            placements = Self.pair(
                first,
                second,
                sideBySide: relation == .leftOf || relation == .rightOf,
                isReversed: isReversed,
                from: &stream
            )
        case .twoObject(let first, let second), .colorAttribution(let first, let second):
            let isSideBySide = stream.nextInteger(below: 2) == 0
            let isReversed = stream.nextInteger(below: 2) == 0
            placements = Self.pair(
                first,
                second,
                sideBySide: isSideBySide,
                isReversed: isReversed,
                from: &stream
            )
        }
    }

    /// Two small sprites, the first to the left or above unless reversed.
    private static func pair(
        _ first: Sprite,
        _ second: Sprite,
        sideBySide isSideBySide: Bool,
        isReversed: Bool,
        from stream: inout RandomStream
    ) -> [Placement] {
        var along = [8 + stream.offset(1), 24 + stream.offset(1)]
        let across = [16 + stream.offset(6), 16 + stream.offset(6)]
        if isReversed { along.reverse() }
        return zip([first, second], zip(along, across)).map { sprite, place in
            isSideBySide
                ? Placement(sprite, .small, x: place.0, y: place.1)
                : Placement(sprite, .small, x: place.1, y: place.0)
        }
    }
}

extension RandomStream {
    /// A whole number from −reach to reach, each as likely as any other.
    fileprivate mutating func offset(_ reach: Int) -> Int { nextInteger(below: 2 * reach + 1) - reach }

    /// The elements in an order by chance (Fisher & Yates).
    fileprivate mutating func shuffled<Element>(_ elements: [Element]) -> [Element] {
        var shuffled = elements
        for index in shuffled.indices.dropFirst().reversed() {
            shuffled.swapAt(index, nextInteger(below: index + 1))
        }
        return shuffled
    }
}
