import Foundation

/// The tokenizer of T5's text encoder, token for token that of transformers' `T5Tokenizer`.
///
/// Special tokens are found first; what lies between them is normalized and cut at white space, every word gets `▁`
/// in front, and is cut into the most probable pieces (Kudo & Richardson 2018, "SentencePiece").
package struct T5Tokenizer: Sendable {
    /// What stands for a space, U+2581.
    private static let space = Unicode.Scalar(0x2581 as UInt16) ?? " "

    /// The token after every text.
    package let endToken: Int
    /// The token that fills a text up to a length asked for.
    package let paddingToken: Int
    /// The longest sequence the folder says its text encoder takes; nil where it gives none.
    package let maximumLength: Int?
    /// One more than the largest token this tokenizer can give.
    package let vocabularySize: Int

    private let characterMap: CharacterMap?
    private let model: UnigramModel
    /// Special tokens looked for in the text as it was given.
    private let rawTokens: SpecialTokenMatcher
    /// Special tokens looked for in the normalized text.
    private let normalizedTokens: SpecialTokenMatcher

    /// Reads a folder as diffusers writes it: `tokenizer.json` or, where there is none, `spiece.model`, and
    /// `tokenizer_config.json`.
    ///
    /// - Throws: a ``ModelError`` with the file and what is wrong.
    package init(folder: String) throws(ModelError) {
        let configuration = try TokenizerConfiguration(folder: folder)
        let files = try Files(folder: folder, configuration: configuration)
        let pieces = files.vocabulary.pieces
        let numbers = Dictionary(pieces.enumerated().map { ($1.text, $0) }) { $1 }
        var stated = files.whole
        var next = max(pieces.count, (stated.keys.max() ?? -1) + 1)

        /// The number of a special token, a new one for a token that nobody has numbered.
        func number(_ token: StatedToken) -> Int {
            if let found = stated.first(where: { $0.value.content.utf8.elementsEqual(token.content.utf8) }) {
                return found.key
            }
            let found = numbers[Array(token.content.utf8)]
            let number = found ?? next
            if found == nil { next += 1 }
            stated[number] = token
            return number
        }
        endToken = number(configuration.end ?? StatedToken("</s>"))
        paddingToken = number(configuration.padding ?? StatedToken("<pad>"))
        // transformers' T5Tokenizer takes the third piece for unknown text, whatever the files say, and bytes never.
        let isT5 = configuration.className?.hasPrefix("T5Tokenizer") ?? true
        let unknown = isT5 ? 2 : files.vocabulary.unknown ?? 2
        _ = number(configuration.unknown ?? StatedToken("<unk>"))
        if isT5 {
            for index in 0..<configuration.extraTokenCount { _ = number(StatedToken("<extra_id_\(index)>")) }
        }
        guard unknown < pieces.count else {
            throw .badFile(
                path: files.path,
                reason: "\(pieces.count) pieces have none of number \(unknown) for unknown text"
            )
        }
        maximumLength = configuration.maximumLength
        vocabularySize = next
        let characterMap: CharacterMap?
        if let bytes = files.characterMap {
            characterMap = try CharacterMap(bytes, path: files.path)
        } else {
            characterMap = nil
        }
        self.characterMap = characterMap
        model = UnigramModel(
            files.vocabulary,
            unknown: unknown,
            fallsBackToBytes: !isT5 && files.vocabulary.fallsBackToBytes
        )
        (rawTokens, normalizedTokens) = SpecialTokenMatcher.pair(stated) {
            characterMap?.normalize($0) ?? Array($0)
        }
    }

    /// The tokens of a text with the end token behind them.
    ///
    /// - Parameters:
    ///   - text: anything; the empty text is the unconditional prompt.
    ///   - length: at least 1; a longer text loses its last tokens but keeps the end token, a shorter one is padded.
    ///     Without it the tokens are as many as there are.
    package func encode(_ text: String, length: Int? = nil) -> [Int] {
        precondition(length.map { $0 >= 1 } ?? true, "the end token needs a length of 1, got \(length ?? 0)")
        var content = self.content(of: text)
        if let length, content.count > length - 1 { content.removeLast(content.count - (length - 1)) }
        let tokens = content + [endToken]
        guard let length else { return tokens }
        return tokens + [Int](repeating: paddingToken, count: length - tokens.count)
    }

    /// The tokens of a text, without the end token.
    private func content(of text: String) -> [Int] {
        rawTokens.segments(of: Array(text.unicodeScalars)[...]).flatMap { segment in
            switch segment {
            case .token(let token): [token]
            case .text(let raw): content(ofNormalized: characterMap?.normalize(raw) ?? Array(raw))
            }
        }
    }

    private func content(ofNormalized text: [Unicode.Scalar]) -> [Int] {
        normalizedTokens.segments(of: text[...]).flatMap { segment in
            switch segment {
            case .token(let token): [token]
            case .text(let text):
                text.split { $0.properties.isWhitespace }.flatMap { Self.words(of: $0).flatMap(model.encode) }
            }
        }
    }

    /// A run without white space as words: `▁` begins each.
    private static func words(of run: ArraySlice<Unicode.Scalar>) -> [[UInt8]] {
        var words: [[UInt8]] = []
        for scalar in run.first == space ? run : [space] + run {
            if scalar == space { words.append([]) }
            words[words.count - 1] += UTF8.encode(scalar) ?? .init()
        }
        return words
    }
}

/// What a folder's files say, whichever they are.
private struct Files {
    /// The file the pieces are from.
    let path: String
    var vocabulary: UnigramVocabulary
    let characterMap: [UInt8]?
    /// Tokens that are looked for as a whole, by their number.
    let whole: [Int: StatedToken]

    init(folder: String, configuration: TokenizerConfiguration) throws(ModelError) {
        if FileManager.default.fileExists(atPath: "\(folder)/\(TokenizerFile.name)") {
            let file = try TokenizerFile(folder: folder)
            guard case .unigram(let vocabulary) = file.model else {
                throw .unsupported(path: file.path, field: "model.type", value: "BPE", expected: "Unigram")
            }
            path = file.path
            self.vocabulary = vocabulary
            characterMap = file.characterMap
            whole = configuration.added ?? file.added
        } else {
            path = "\(folder)/\(SentencePieceModel.name)"
            let model = try SentencePieceModel(path: path)
            vocabulary = model.vocabulary
            // The model does not have the extra tokens; they follow it, the last one first.
            let extra = (0..<configuration.extraTokenCount).reversed().map { "<extra_id_\($0)>" }
            vocabulary.pieces += extra.map { UnigramVocabulary.Piece(text: Array($0.utf8), score: 0) }
            characterMap = model.characterMap
            whole = model.wholePieces.mapValues { StatedToken($0) }
                .merging(configuration.added ?? [:]) { $1 }
        }
    }
}
