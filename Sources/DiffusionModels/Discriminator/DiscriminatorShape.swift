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
