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
    /// What the file itself says the method is; nil where it says nothing.
    private let fileMethod: String?

    /// Reads YAML, and refuses keys that are not known.
    init(yaml text: String, path: String) throws(ConfigurationError) {
        self.path = path
        let place = ConfigurationPlace.file(path: path, line: 1)
        let root = try Self.composed(text, place: place)
        fileMethod = root?["method"]?.scalar?.string
        guard let root else { return }
        try collect(root, under: "")
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
        let isOther = method.rawValue != fileMethod ?? Method.flowsteer.rawValue
        let rank = isOther ? entries["method"]?.place.rank ?? 0 : 0
        let foreign = MethodKeys.foreign.filter { entries[$0].map { $0.place.rank < rank } ?? false }
        for key in foreign { entries[key] = nil }
        for key in MethodKeys.unused(by: method).sorted() {
            guard let entry = entries.removeValue(forKey: key), entry.place.rank >= rank else { continue }
            throw .unusedKey(
                key,
                place: entry.place,
                method: method.rawValue,
                users: MethodKeys.users(of: key).map(\.rawValue).joined(separator: " or ")
            )
        }
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
