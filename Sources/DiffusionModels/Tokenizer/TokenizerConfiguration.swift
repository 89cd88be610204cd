import Foundation

/// A special token as a folder may state it: by its text, or as an object with flags.
struct StatedToken: Decodable, Sendable {
    let content: String
    /// True when the token is looked for after normalization, that is in any case.
    let isNormalized: Bool
    /// True when the token counts only where no letter, digit or underscore touches it.
    let isSingleWord: Bool

    private enum CodingKeys: String, CodingKey {
        case content, normalized, single_word
    }

    /// A token looked for in the text as it was given.
    init(_ content: String) {
        self.init(content, isNormalized: false, isSingleWord: false)
    }

    private init(_ content: String, isNormalized: Bool, isSingleWord: Bool) {
        self.content = content
        self.isNormalized = isNormalized
        self.isSingleWord = isSingleWord
    }

    init(from decoder: any Decoder) throws {
        if let content = try? decoder.singleValueContainer().decode(String.self) {
            self.init(content)
        } else {
            let fields = try decoder.container(keyedBy: CodingKeys.self)
            self.init(
                try fields.decode(String.self, forKey: .content),
                isNormalized: try fields.decodeIfPresent(Bool.self, forKey: .normalized) ?? false,
                isSingleWord: try fields.decodeIfPresent(Bool.self, forKey: .single_word) ?? false
            )
        }
    }
}

/// The roles and special tokens of a tokenizer folder: `tokenizer_config.json`, and for what it leaves open
/// `special_tokens_map.json`.
struct TokenizerConfiguration {
    private struct Fields: Decodable {
        var bos_token: StatedToken?
        var eos_token: StatedToken?
        var unk_token: StatedToken?
        var pad_token: StatedToken?
        var model_max_length: Double?
        var added_tokens_decoder: [String: StatedToken]?
        var tokenizer_class: String?
        var extra_ids: Int?
    }

    /// The four roles; nil where the folder names none.
    let start: StatedToken?
    let end: StatedToken?
    let unknown: StatedToken?
    let padding: StatedToken?
    /// Tokens beyond the four roles, by their number; nil where the file leaves that to `tokenizer.json`.
    let added: [Int: StatedToken]?
    /// The longest sequence the text encoder takes; nil where the folder gives none.
    let maximumLength: Int?
    /// transformers' class, as far as the file names one.
    let className: String?
    /// T5's tokens `<extra_id_0>` and so on.
    let extraTokenCount: Int

    init(folder: String) throws(ModelError) {
        let path = "\(folder)/tokenizer_config.json"
        let config = try JSONFile.decode(Fields.self, path: path, purpose: "it names the special tokens")
        let mapPath = "\(folder)/special_tokens_map.json"
        let hasMap = FileManager.default.fileExists(atPath: mapPath)
        let map = hasMap ? try JSONFile.decode(Fields.self, path: mapPath, purpose: "") : Fields()

        func token(_ role: String, _ field: KeyPath<Fields, StatedToken?>) throws(ModelError) -> StatedToken?
        {
            let token = config[keyPath: field] ?? map[keyPath: field]
            guard token?.content.isEmpty != true else {
                throw .badFile(path: path, reason: "\(role) is empty, here or in special_tokens_map.json")
            }
            return token
        }
        start = try token("bos_token", \.bos_token)
        end = try token("eos_token", \.eos_token)
        unknown = try token("unk_token", \.unk_token)
        padding = try token("pad_token", \.pad_token)

        added = try config.added_tokens_decoder.map { stated throws(ModelError) in
            var added: [Int: StatedToken] = [:]
            for (number, token) in stated {
                guard let number = Int(number), (0...1 << 24).contains(number), !token.content.isEmpty else {
                    throw .badFile(path: path, reason: "added_tokens_decoder has an entry \"\(number)\"")
                }
                added[number] = token
            }
            return added
        }
        // transformers writes 1e30 for "no limit".
        maximumLength = config.model_max_length.flatMap { (2...1e6).contains($0) ? Int($0) : nil }
        className = config.tokenizer_class
        extraTokenCount = config.extra_ids ?? Self.usualExtraTokenCount
        guard (0...1 << 16).contains(extraTokenCount) else {
            throw .unsupported(
                path: path,
                field: "extra_ids",
                value: "\(extraTokenCount)",
                expected: "0 to 65536"
            )
        }
    }

    private static let usualExtraTokenCount = 100
}
