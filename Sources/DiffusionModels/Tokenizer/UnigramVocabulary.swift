/// The pieces of a unigram language model with the logarithms of their probabilities.
struct UnigramVocabulary: Sendable {
    struct Piece: Sendable {
        /// UTF-8, a space written as `▁`.
        let text: [UInt8]
        let score: Double
    }

    /// By their number.
    var pieces: [Piece]
    /// The number of the unknown piece, if the file gives one.
    let unknown: Int?
    /// True when the bytes of unknown characters have pieces `<0x00>` … `<0xFF>`.
    let fallsBackToBytes: Bool
}
