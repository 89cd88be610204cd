import DiffusionModels
import Distillation
import Yams

/// The values of a configuration by key, each with the place that stated it; nothing is interpreted yet.
struct ConfigurationText {
    struct Entry {
        let value: Node
        let place: ConfigurationPlace
    }

    let path: String
    private(set) var entries: [String: Entry] = [:]
    /// What the file itself says.
    private var stated: [String: Entry] = [:]

    /// Reads YAML, and refuses keys that are not known.
    init(yaml text: String, path: String) throws(ConfigurationError) {
        self.path = path
        let place = ConfigurationPlace.file(path: path, line: 1)
        let root = try Self.composed(text, place: place)
        guard let root else { return }
        try collect(root, under: "")
        stated = entries
    }

    /// Replaces a value by what a flag or the environment says; `text` is YAML, as in the file.
    mutating func override(_ key: String, with text: String, at place: ConfigurationPlace)
        throws(ConfigurationError)
    {
        guard ConfigurationKeys.isKnown(key) else {
            throw .unknownKey(key, place: place, nearest: ConfigurationKeys.nearest(to: key))
        }
        let value = try Self.composed(text, place: place) ?? Node("")
        entries[key] = Entry(value: value, place: place)
    }

    /// Leaves out what is not for the method.
    ///
    /// A method that a flag or the environment states takes the place of the file's, and what was stated for that one
    /// below is passed over: the new one has its own defaults. A key that the method makes nothing of is refused where it
    /// is stated beside the method, or above.
    mutating func keep(for method: Method) throws(ConfigurationError) {
        let rank = rank(of: "method", as: method.rawValue, otherwise: Method.flowsteer.rawValue)
        let foreign = MethodKeys.foreign.filter { entries[$0].map { $0.place.rank < rank } ?? false }
        for key in foreign { entries[key] = nil }
        for key in MethodKeys.unused(by: method).sorted() {
            let users = MethodKeys.users(of: key).map(\.rawValue).joined(separator: " or ")
            try drop(key, from: rank, because: "method \(method.rawValue)", users: "method \(users)")
        }
    }

    /// Leaves out what is not for what the student trains, as ``keep(for:)`` does for the method.
    mutating func keep(for mode: Student.Mode, of method: Method) throws(ConfigurationError) {
        let key = "student.mode"
        let rank = rank(of: key, as: mode.rawValue, otherwise: Student.Mode.lora.rawValue)
        for unused in StudentKeys.unused(by: mode, of: method).sorted() {
            try drop(unused, from: rank, because: "\(key) \(mode.rawValue)", users: "\(key) lora")
        }
    }

    /// Leaves out what is of scenes alone, as ``keep(for:)`` does for the method.
    mutating func keep(for kind: PromptSettings.Kind) throws(ConfigurationError) {
        guard kind != .scenes else { return }
        let (key, scenes) = ("prompts.kind", PromptSettings.Kind.scenes.rawValue)
        try drop(
            "prompts.tasks",
            from: rank(of: key, as: kind.rawValue, otherwise: scenes),
            because: "\(key) \(kind.rawValue)",
            users: "\(key) \(scenes)"
        )
    }

    /// Where a choice was stated, of those that stand above what the file chose; keys below it were meant for that.
    private func rank(of key: String, as value: String, otherwise usual: String) -> Int {
        guard value != stated[key]?.value.scalar?.string ?? usual else { return 0 }
        return entries[key]?.place.rank ?? 0
    }

    /// Leaves a key out that means nothing to a setting, and refuses it where it is stated beside that, or above.
    private mutating func drop(_ key: String, from rank: Int, because setting: String, users: String)
        throws(ConfigurationError)
    {
        guard let entry = entries.removeValue(forKey: key), entry.place.rank >= rank else { return }
        throw .unusedKey(key, place: entry.place, setting: setting, users: users)
    }

    private mutating func collect(_ node: Node, under group: String) throws(ConfigurationError) {
        guard let mapping = node.mapping else {
            throw .malformed(
                place: place(of: node),
                reason: group.isEmpty ? "expected keys with values" : "\(group): expected a group of keys"
            )
        }
        for (name, value) in mapping {
            guard let name = name.scalar?.string else {
                throw .malformed(place: place(of: name), reason: "a key is a word")
            }
            let key = group.isEmpty ? name : "\(group).\(name)"
            if ConfigurationKeys.isGroup(key) {
                try collect(value, under: key)
            } else if ConfigurationKeys.isKnown(key) {
                entries[key] = Entry(value: value, place: place(of: value))
            } else {
                throw .unknownKey(key, place: place(of: value), nearest: ConfigurationKeys.nearest(to: key))
            }
        }
    }

    private func place(of node: Node) -> ConfigurationPlace { .file(path: path, line: node.mark?.line ?? 1) }

    private static func composed(_ text: String, place: ConfigurationPlace) throws(ConfigurationError)
        -> Node?
    {
        do {
            return try Yams.compose(yaml: text)
        } catch let error as YamlError {
            throw malformed(error, at: place)
        } catch {
            throw .malformed(place: place, reason: "\(error)")
        }
    }

    /// One line out of Yams' several, with the place it found where the file is meant.
    private static func malformed(_ error: YamlError, at place: ConfigurationPlace) -> ConfigurationError {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            guard case .file(let path, _) = place else { return .malformed(place: place, reason: problem) }
            return .malformed(place: .file(path: path, line: mark.line), reason: problem)
        case .duplicatedKeysInMapping(let duplicates, _):
            let keys = duplicates.map { "\($0)" }.sorted().joined(separator: ", ")
            return .malformed(place: place, reason: "stated twice: \(keys)")
        default:
            return .malformed(place: place, reason: "not YAML")
        }
    }
}
