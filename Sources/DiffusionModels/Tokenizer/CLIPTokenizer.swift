import Foundation

/// The tokenizer of CLIP's text encoders, token for token that of transformers' `CLIPTokenizer`.
///
/// Special tokens are found first; what lies between them is composed (NFC), put in lower case, cut into
/// words, and each word's bytes are merged by byte-pair encoding (Radford et al. 2021, "Learning Transferable
/// Visual Models From Natural Language Supervision").
package struct CLIPTokenizer: Sendable {
    /// The token before every text.
    package let startToken: Int
    /// The token after every text.
    package let endToken: Int
    /// The token that fills a text up to a length asked for.
    package let paddingToken: Int
    /// The longest sequence the folder says its text encoder takes; nil where it gives none.
    package let maximumLength: Int?
    /// One more than the largest token this tokenizer can give.
    package let vocabularySize: Int

    private let encoding: BytePairEncoding
    /// Special tokens looked for in the text as it was given.
    private let rawTokens: SpecialTokenMatcher
    /// Special tokens looked for in the normalized text.
    private let normalizedTokens: SpecialTokenMatcher

    /// Reads a folder as diffusers writes it: `tokenizer.json` or, where there is none, `vocab.json` and
    /// `merges.txt`; `tokenizer_config.json` and, where it exists, `special_tokens_map.json`.
    ///
    /// - Throws: a ``ModelError`` with the file, the line of a bad merge rule, and what is wrong.
    package init(folder: String) throws(ModelError) {
        let files = try Files(folder: folder)
        let vocabulary = files.vocabulary
        let configuration = try TokenizerConfiguration(folder: folder)
        var stated = configuration.added ?? files.added
        let addedNumbers = Dictionary(stated.map { ($1.content, $0) }) { max($0, $1) }

        /// What the numbered list says of a token holds over its role.
        func number(_ token: StatedToken) throws(ModelError) -> Int {
            guard let number = addedNumbers[token.content] ?? vocabulary[token.content] else {
                throw .badFile(path: files.path, reason: "the special token \(token.content) is missing")
            }
            if stated[number] == nil { stated[number] = token }
            return number
        }
        let end = StatedToken("<|endoftext|>")
        startToken = try number(configuration.start ?? StatedToken("<|startoftext|>"))
        endToken = try number(configuration.end ?? end)
        paddingToken = try number(configuration.padding ?? end)
        let unknown = try number(configuration.unknown ?? end)
        maximumLength = configuration.maximumLength
        let numbers = Array(vocabulary.values) + Array(stated.keys)
        guard let largest = numbers.max(), numbers.allSatisfy({ $0 >= 0 && $0 <= 1 << 24 }) else {
            throw .badFile(path: files.path, reason: "tokens are numbered from 0 to 2^24")
        }
        vocabularySize = largest + 1
        encoding = try BytePairEncoding(vocabulary: vocabulary, rules: files.rules, unknown: unknown)
        (rawTokens, normalizedTokens) = SpecialTokenMatcher.pair(stated) { TextNormalization.normalize($0) }
    }

    /// The tokens of a text between start and end token.
    ///
    /// - Parameters:
    ///   - text: anything; the empty text is the unconditional prompt.
    ///   - length: at least 2; a longer text loses its last tokens but keeps the end token, a shorter one is
    ///     padded. Without it the tokens are as many as there are.
    package func encode(_ text: String, length: Int? = nil) -> [Int] {
        precondition(length.map { $0 >= 2 } ?? true, "start and end need a length of 2, got \(length ?? 0)")
        var content = self.content(of: text)
        if let length, content.count > length - 2 { content.removeLast(content.count - (length - 2)) }
        let tokens = [startToken] + content + [endToken]
        guard let length else { return tokens }
        return tokens + [Int](repeating: paddingToken, count: length - tokens.count)
    }

    /// The tokens of a text, without start and end.
    private func content(of text: String) -> [Int] {
        rawTokens.segments(of: Array(text.unicodeScalars)[...]).flatMap { segment in
            switch segment {
            case .token(let token): [token]
            case .text(let raw): content(ofNormalized: TextNormalization.normalize(raw))
            }
        }
    }

    private func content(ofNormalized text: [Unicode.Scalar]) -> [Int] {
        normalizedTokens.segments(of: text[...]).flatMap { segment in
            switch segment {
            case .token(let token): [token]
            case .text(let text): WordSplitter.words(of: text).flatMap { encoding.encode(Self.bytes(of: $0)) }
            }
        }
    }

    private static func bytes(of word: ArraySlice<Unicode.Scalar>) -> [UInt8] {
        var scalars = String.UnicodeScalarView()
        scalars.append(contentsOf: word)
        return Array(String(scalars).utf8)
    }
}

/// What a folder's files say, whichever they are.
private struct Files {
    /// The file the vocabulary is from.
    let path: String
    let vocabulary: [String: Int]
    let rules: MergeRules
    /// Tokens that are looked for as a whole, by their number.
    let added: [Int: StatedToken]

    init(folder: String) throws(ModelError) {
        if FileManager.default.fileExists(atPath: "\(folder)/\(TokenizerFile.name)") {
            let file = try TokenizerFile(folder: folder)
            guard case .bytePairs(let vocabulary, let merges) = file.model else {
                throw .unsupported(path: file.path, field: "model.type", value: "Unigram", expected: "BPE")
            }
            path = file.path
            self.vocabulary = vocabulary
            rules = MergeRules(path: path, pairs: merges)
            added = file.added
        } else {
            path = "\(folder)/vocab.json"
            vocabulary = try JSONFile.decode(
                [String: Int].self,
                path: path,
                purpose: "a CLIP tokenizer has its tokens there"
            )
            rules = try MergeRules(path: "\(folder)/merges.txt")
            added = [:]
        }
    }
}
