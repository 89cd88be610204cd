import Foundation

/// The roles and special tokens of a tokenizer folder: `tokenizer_config.json`, and for what it leaves open
/// `special_tokens_map.json`.
struct TokenizerConfiguration {
    /// A special token as a folder may state it: by its text, or as an object with flags.
    struct StatedToken: Decodable {
        let content: String
        /// True when the token is looked for after normalization, that is in any case.
        let isNormalized: Bool

        private enum CodingKeys: String, CodingKey {
            case content, normalized
        }

        init(from decoder: any Decoder) throws {
            if let content = try? decoder.singleValueContainer().decode(String.self) {
                self.content = content
                isNormalized = false
            } else {
                let fields = try decoder.container(keyedBy: CodingKeys.self)
                content = try fields.decode(String.self, forKey: .content)
                isNormalized = try fields.decodeIfPresent(Bool.self, forKey: .normalized) ?? false
            }
        }
    }

    private struct Fields: Decodable {
        var bos_token: StatedToken?
        var eos_token: StatedToken?
        var unk_token: StatedToken?
        var pad_token: StatedToken?
        var model_max_length: Double?
        var added_tokens_decoder: [String: StatedToken]?
    }

    let start: StatedToken
    let end: StatedToken
    let unknown: StatedToken
    let padding: StatedToken
    /// Tokens beyond the four roles, by their number.
    let added: [Int: StatedToken]
    /// The longest sequence the text encoder takes; nil where the folder gives none.
    let maximumLength: Int?

    init(folder: String) throws(ModelError) {
        let path = "\(folder)/tokenizer_config.json"
        let config = try JSONFile.decode(Fields.self, path: path, purpose: "it names the special tokens")
        let mapPath = "\(folder)/special_tokens_map.json"
        let hasMap = FileManager.default.fileExists(atPath: mapPath)
        let map = hasMap ? try JSONFile.decode(Fields.self, path: mapPath, purpose: "") : Fields()

        func token(_ role: String, _ field: KeyPath<Fields, StatedToken?>) throws(ModelError) -> StatedToken {
            guard let token = config[keyPath: field] ?? map[keyPath: field], !token.content.isEmpty else {
                throw .badFile(path: path, reason: "\(role) is missing, as it is in special_tokens_map.json")
            }
            return token
        }
        start = try token("bos_token", \.bos_token)
        end = try token("eos_token", \.eos_token)
        unknown = try token("unk_token", \.unk_token)
        padding = try token("pad_token", \.pad_token)

        var added: [Int: StatedToken] = [:]
        for (number, token) in config.added_tokens_decoder ?? [:] {
            guard let number = Int(number), number >= 0, !token.content.isEmpty else {
                throw .badFile(path: path, reason: "added_tokens_decoder has an entry \"\(number)\"")
            }
            added[number] = token
        }
        self.added = added
        // transformers writes 1e30 for "no limit".
        maximumLength = config.model_max_length.flatMap { (2...1e6).contains($0) ? Int($0) : nil }
    }
}
