/// What a discriminator takes over from the teacher, what of it is trained, and where it judges.
package struct DiscriminatorShape: Sendable, Codable, Equatable {
    /// Where heads stand.
    package enum Heads: String, Sendable, Codable, CaseIterable {
        /// One after the last block.
        case last
        /// One after every block; a state's logits are those of all heads.
        case every
    }

    /// What is trained beside the heads.
    package enum Mode: String, Sendable, Codable, CaseIterable {
        /// All weights of the blocks.
        case full
        /// Low-rank adapters of the blocks' linear maps.
        case lora
        /// Nothing.
        case frozen
    }

    /// Blocks of the teacher.
    package var depth = 12
    package var heads = Heads.last
    package var mode = Mode.full
    /// Of the adapters of ``Mode/lora``.
    package var rank = 64

    package init() {}
}

extension DiscriminatorShape {
    /// What the names of each head's parameters begin with.
    var headPrefixes: [String] {
        switch heads {
        case .last: [DiscriminatorHead.prefix]
        case .every: (0..<depth).map { "\(DiscriminatorHead.prefix)\($0)." }
        }
    }

    /// Numbers in the parameters of a discriminator of this shape, told from the shapes of the teacher's tensors.
    package func parameterCount(teacher shapes: [String: [Int]], _ configuration: TransformerConfiguration)
        -> Int
    {
        let heads = headPrefixes.flatMap { DiscriminatorHead.layout($0, width: configuration.width) }
        let used = shapes.filter { TransformerTrunk.isTrainable($0.key, depth: depth) }
        let trained =
            switch mode {
            case .full: used.reduce(0) { $0 + $1.value.reduce(1, *) }
            case .lora:
                used.filter { DiscriminatorWeights.isAdapted($0.key) }
                    .reduce(0) { $0 + rank * ($1.value[0] + $1.value[1]) }
            case .frozen: 0
            }
        return heads.reduce(trained) { $0 + $1.shape.reduce(1, *) }
    }
}
