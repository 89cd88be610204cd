import Foundation

/// What is read of a `tokenizer.json`, the one file that the library tokenizers, and so transformers, writes for
/// a tokenizer of any kind.
struct TokenizerFile {
    static let name = "tokenizer.json"

    /// A vocabulary and how text is cut into it.
    enum Model {
        /// Byte-pair encoding: tokens by their text, and the two sides of every merge in order of rank.
        case bytePairs(vocabulary: [String: Int], merges: [(left: String, right: String)])
        /// A unigram language model.
        case unigram(UnigramVocabulary)
    }

    let path: String
    let model: Model
    /// Tokens that are looked for as a whole, by their number.
    let added: [Int: StatedToken]
    /// SentencePiece's normalization rules, where the file has them.
    let characterMap: [UInt8]?

    /// Reads a folder's `tokenizer.json`.
    init(folder: String) throws(ModelError) {
        path = "\(folder)/\(Self.name)"
        let contents = try JSONFile.decode(
            Contents.self,
            path: path,
            purpose: "the tokenizer is described there"
        )
        added = Dictionary((contents.added_tokens ?? []).map { ($0.id, $0.token) }) { $1 }
        let encoded = contents.normalizer?.characterMap
        characterMap = encoded.flatMap { Data(base64Encoded: $0) }.map { [UInt8]($0) }
        guard encoded == nil || characterMap != nil else {
            throw .badFile(path: path, reason: "normalizer.precompiled_charsmap is not base64")
        }
        guard !added.contains(where: { $0.key < 0 || $0.key > 1 << 24 || $0.value.content.isEmpty }) else {
            throw .badFile(
                path: path,
                reason: "added_tokens are numbered from 0 to 2^24 and written with something"
            )
        }
        switch contents.model.vocabulary {
        case .numbered(let vocabulary):
            model = .bytePairs(
                vocabulary: vocabulary,
                merges: contents.model.merges.map { ($0.left, $0.right) }
            )
        case .scored(let pieces):
            model = .unigram(
                UnigramVocabulary(
                    pieces: pieces.map {
                        UnigramVocabulary.Piece(text: Array($0.text.utf8), score: $0.score)
                    },
                    unknown: contents.model.unk_id,
                    fallsBackToBytes: contents.model.byte_fallback ?? false
                )
            )
        }
    }
}

// MARK: - The file's layout

extension TokenizerFile {
    private struct Contents: Decodable {
        var added_tokens: [AddedToken]?
        var normalizer: Normalizer?
        var model: StoredModel
    }

    private struct AddedToken: Decodable {
        let id: Int
        let token: StatedToken

        private enum CodingKeys: CodingKey { case id }

        init(from decoder: any Decoder) throws {
            id = try decoder.container(keyedBy: CodingKeys.self).decode(Int.self, forKey: .id)
            token = try StatedToken(from: decoder)
        }
    }

    /// One normalizer or a sequence of them.
    private struct Normalizer: Decodable {
        var precompiled_charsmap: String?
        var normalizers: [Normalizer]?

        /// That of the first precompiled normalizer.
        var characterMap: String? {
            precompiled_charsmap ?? normalizers?.lazy.compactMap(\.characterMap).first
        }
    }

    private struct StoredModel: Decodable {
        enum Vocabulary {
            case numbered([String: Int])
            case scored([ScoredPiece])
        }

        let vocabulary: Vocabulary
        let merges: [Merge]
        let unk_id: Int?
        let byte_fallback: Bool?

        private enum CodingKeys: String, CodingKey { case type, vocab, merges, unk_id, byte_fallback }

        init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: CodingKeys.self)
            // Files from before the type was written are told apart by their merges.
            let type = try fields.decodeIfPresent(String.self, forKey: .type)
            switch type ?? (fields.contains(.merges) ? "BPE" : "Unigram") {
            case "BPE":
                vocabulary = .numbered(try fields.decode([String: Int].self, forKey: .vocab))
                merges = try fields.decode([Merge].self, forKey: .merges)
            case "Unigram":
                vocabulary = .scored(try fields.decode([ScoredPiece].self, forKey: .vocab))
                merges = []
            case let other:
                throw DecodingError.dataCorruptedError(
                    forKey: .type,
                    in: fields,
                    debugDescription: "is \(other), expected BPE or Unigram"
                )
            }
            unk_id = try fields.decodeIfPresent(Int.self, forKey: .unk_id)
            byte_fallback = try fields.decodeIfPresent(Bool.self, forKey: .byte_fallback)
        }
    }

    /// `["text", score]`.
    private struct ScoredPiece: Decodable {
        let text: String
        let score: Double

        init(from decoder: any Decoder) throws {
            var fields = try decoder.unkeyedContainer()
            text = try fields.decode(String.self)
            score = try fields.decode(Double.self)
        }
    }

    /// `["left", "right"]`, or `"left right"` in files of before 2024.
    private struct Merge: Decodable {
        let left: String
        let right: String

        init(from decoder: any Decoder) throws {
            let sides: [String]
            if let text = try? decoder.singleValueContainer().decode(String.self) {
                sides = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
            } else {
                sides = try decoder.singleValueContainer().decode([String].self)
            }
            guard sides.count == 2, sides.allSatisfy({ !$0.isEmpty }) else {
                throw DecodingError.dataCorrupted(
                    DecodingError.Context(
                        codingPath: decoder.codingPath,
                        debugDescription: "expected two tokens, got \(sides)"
                    )
                )
            }
            (left, right) = (sides[0], sides[1])
        }
    }
}
