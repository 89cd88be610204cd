import Tensors

/// Captions of emoji scenes, for training and for evaluation on pairs that training never shows.
///
/// A caption is a pure function of the seed and its place in the sequence, so a longer list begins with a
/// shorter one.
package struct SceneCaptions: Sendable {
    private let catalog: SpriteCatalog
    /// Of the tasks in training.
    private let shares: SceneTaskShares
    private let objectPairs: SpritePairs
    private let shapePairs: SpritePairs

    /// What a sequence of captions is for: no two share random numbers, or any with a run's noise.
    private enum Purpose: UInt64 {
        case training = 0x7472_6169_6E69_6E67
        case heldOut = 0x6865_6C64_206F_7574
    }

    /// Captions over the sprites of a catalog.
    ///
    /// - Parameter shares: of the tasks in training; held-out captions have all equally.
    /// - Throws: when there are too few of them for pairs to train on and pairs to hold out.
    package init(_ catalog: SpriteCatalog, shares: SceneTaskShares = .standard) throws(EvaluationError) {
        self.catalog = catalog
        self.shares = shares
        objectPairs = SpritePairs(of: catalog.objects)
        shapePairs = SpritePairs(of: catalog.shapes)
        for (kind, pairs) in [("objects", objectPairs), ("coloured shapes", shapePairs)]
        where pairs.training.isEmpty || pairs.heldOut.isEmpty {
            throw .badSprites(path: catalog.path, reason: "\(kind) are too few to hold pairs out")
        }
    }

    /// Captions to train on, without the held-out pairs; tasks come as often as the shares say.
    package func training(count: Int, seed: UInt64) -> [SceneCaption] {
        training(0..<count, seed: seed)
    }

    /// Those of some places in the sequence.
    package func training(_ places: Range<Int>, seed: UInt64) -> [SceneCaption] {
        places.map { index in
            var stream = Self.stream(.training, seed: seed, index: index)
            let task = shares.task(of: stream.nextUniform())
            return caption(of: task, pairs: \.training, from: &stream)
        }
    }

    /// Captions for evaluation, the six tasks in turn, so equally many of each when `count` is a multiple of
    /// six.
    ///
    /// Two objects, positions and colours of two shapes name only held-out pairs; a single object or shape,
    /// or a number of objects, is like in training.
    package func heldOut(count: Int, seed: UInt64) -> [SceneCaption] {
        (0..<count).map { index in
            var stream = Self.stream(.heldOut, seed: seed, index: index)
            let task = SceneTask.allCases[index % SceneTask.allCases.count]
            return caption(of: task, pairs: \.heldOut, from: &stream)
        }
    }

    private static func stream(_ purpose: Purpose, seed: UInt64, index: Int) -> RandomStream {
        RandomStream(key: seed ^ purpose.rawValue, stream: UInt64(index))
    }
}

extension SceneCaption {
    /// True when the caption names a pair that training never shows.
    package var isHeldOut: Bool {
        switch self {
        case .singleObject, .colors, .counting: false
        case .twoObject(let first, let second), .position(let first, _, let second),
            .colorAttribution(let first, let second):
            SpritePairs.isHeldOut(SpritePairs.Pair(first: first, second: second))
        }
    }
}

// MARK: - Drawing

extension SceneCaptions {
    private func caption(
        of task: SceneTask,
        pairs: KeyPath<SpritePairs, [SpritePairs.Pair]>,
        from stream: inout RandomStream
    ) -> SceneCaption {
        switch task {
        case .singleObject:
            return .singleObject(stream.element(of: catalog.objects))
        case .colors:
            return .colors(stream.element(of: catalog.shapes))
        case .counting:
            let object = stream.element(of: catalog.objects)
            return .counting(object, count: stream.element(of: Array(SceneCaption.counts)))
        case .twoObject:
            let (first, second) = stream.order(of: objectPairs[keyPath: pairs])
            return .twoObject(first, second)
        case .position:
            let relation = stream.element(of: SceneCaption.Relation.allCases)
            let (first, second) = stream.order(of: objectPairs[keyPath: pairs])
            return .position(first, relation, second)
        case .colorAttribution:
            let (first, second) = stream.order(of: shapePairs[keyPath: pairs])
            return .colorAttribution(first, second)
        }
    }
}

extension RandomStream {
    /// One of some elements, each as likely as any other.
    fileprivate mutating func element<Element>(of elements: [Element]) -> Element {
        elements[nextInteger(below: elements.count)]
    }

    /// One of some pairs, in either order.
    fileprivate mutating func order(of pairs: [SpritePairs.Pair]) -> (Sprite, Sprite) {
        let pair = element(of: pairs)
        return nextInteger(below: 2) == 0 ? (pair.first, pair.second) : (pair.second, pair.first)
    }
}
