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

    /// Reads a folder as diffusers writes it: `vocab.json`, `merges.txt`, `tokenizer_config.json` and, where
    /// it exists, `special_tokens_map.json`.
    ///
    /// - Throws: a ``ModelError`` with the file, the line of a bad merge rule, and what is wrong.
    package init(folder: String) throws(ModelError) {
        let vocabularyPath = "\(folder)/vocab.json"
        let vocabulary = try JSONFile.decode(
            [String: Int].self,
            path: vocabularyPath,
            purpose: "a CLIP tokenizer has its tokens there"
        )
        let configuration = try TokenizerConfiguration(folder: folder)
        let addedNumbers = Dictionary(configuration.added.map { ($1.content, $0) }) { max($0, $1) }

        func number(_ token: TokenizerConfiguration.StatedToken) throws(ModelError) -> Int {
            guard let number = addedNumbers[token.content] ?? vocabulary[token.content] else {
                throw .badFile(path: vocabularyPath, reason: "the special token \(token.content) is missing")
            }
            return number
        }
        startToken = try number(configuration.start)
        endToken = try number(configuration.end)
        paddingToken = try number(configuration.padding)
        maximumLength = configuration.maximumLength
        let numbers = Array(vocabulary.values) + Array(configuration.added.keys)
        guard let largest = numbers.max(), numbers.allSatisfy({ $0 >= 0 && $0 <= 1 << 24 }) else {
            throw .badFile(path: vocabularyPath, reason: "tokens are numbered from 0 to 2^24")
        }
        vocabularySize = largest + 1
        encoding = try BytePairEncoding(
            vocabulary: vocabulary,
            rules: MergeRules(path: "\(folder)/merges.txt"),
            unknown: number(configuration.unknown)
        )

        // What the numbered list says of a token holds over its role.
        let roles = [configuration.start, configuration.end, configuration.unknown, configuration.padding]
        var stated = configuration.added
        for token in roles {
            let number = try number(token)
            if stated[number] == nil { stated[number] = token }
        }
        rawTokens = SpecialTokenMatcher(
            stated.filter { !$1.isNormalized }.map {
                SpecialToken(content: Array($1.content.unicodeScalars), token: $0)
            }
        )
        normalizedTokens = SpecialTokenMatcher(
            stated.filter { $1.isNormalized }.map {
                SpecialToken(content: TextNormalization.normalize($1.content.unicodeScalars), token: $0)
            }
        )
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
