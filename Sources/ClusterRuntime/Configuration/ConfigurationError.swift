/// What is wrong with a run's configuration; every case is exit code 78.
package enum ConfigurationError: Error, Equatable {
    /// The file cannot be read.
    case unreadable(path: String, reason: String)
    /// The text is no YAML, or no mapping of keys.
    case malformed(place: ConfigurationPlace, reason: String)
    /// A key that means nothing, with the known one it resembles most.
    case unknownKey(String, place: ConfigurationPlace, nearest: String)
    /// A value of the wrong type or out of range.
    case badValue(key: String, place: ConfigurationPlace, value: String, expected: String)
    /// A value of the method that this program cannot serve.
    case notSupported(key: String, place: ConfigurationPlace, value: String, supported: String)
    /// A key that another setting of the run makes nothing of, with the settings that use it.
    case unusedKey(String, place: ConfigurationPlace, setting: String, users: String)
    /// A value, wherever it was stated, that does not do for what was asked.
    case unfit(key: String, value: String, expected: String)
    /// A key without which there is no run.
    case missingKey(String, path: String, expected: String)
}

/// Where a value of the configuration was stated.
package enum ConfigurationPlace: Hashable, Sendable {
    /// A line of the file, counted from 1.
    case file(path: String, line: Int)
    /// `--set`.
    case flag
    /// An environment variable.
    case environment(variable: String)
}

extension ConfigurationPlace {
    /// The higher, the later it has its say.
    var rank: Int {
        switch self {
        case .file: 0
        case .environment: 1
        case .flag: 2
        }
    }
}

extension ConfigurationPlace: CustomStringConvertible {
    package var description: String {
        switch self {
        case .file(let path, let line): "\(path):\(line)"
        case .flag: "--set"
        case .environment(let variable): "environment variable \(variable)"
        }
    }
}

extension ConfigurationError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unreadable(let path, let reason): "\(path): cannot be read: \(reason)"
        case .malformed(let place, let reason): "\(place): \(reason)"
        case .unknownKey(let key, let place, let nearest):
            "\(place): unknown key '\(key)': did you mean '\(nearest)'?"
        case .badValue(let key, let place, let value, let expected):
            "\(place): \(key) is \(value): expected \(expected)"
        case .notSupported(let key, let place, let value, let supported):
            "\(place): \(key) is \(value): not supported, expected \(supported)"
        case .unusedKey(let key, let place, let setting, let users):
            "\(place): \(key) means nothing to \(setting): expected it to be left out, or \(users)"
        case .unfit(let key, let value, let expected): "\(key) is \(value): expected \(expected)"
        case .missingKey(let key, let path, let expected): "\(path): \(key) is missing: expected \(expected)"
        }
    }
}
