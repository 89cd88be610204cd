import Yams

/// Typed access to a configuration's values; every refusal names the key, the value and what was expected.
struct ConfigurationValues {
    private let text: ConfigurationText

    init(_ text: ConfigurationText) { self.text = text }

    func place(of key: String) -> ConfigurationPlace {
        text.entries[key]?.place ?? .file(path: text.path, line: 1)
    }

    func refusal(of key: String, expected: String) -> ConfigurationError {
        let value = text.entries[key].map { Self.shown($0.value) } ?? "absent"
        return .badValue(key: key, place: place(of: key), value: value, expected: expected)
    }

    /// Any text; nil when the key is absent or its value empty, unless that was written in quotes.
    func string(_ key: String) throws(ConfigurationError) -> String? {
        guard let entry = text.entries[key] else { return nil }
        guard let scalar = entry.value.scalar else { throw refusal(of: key, expected: "a text") }
        return isNull(scalar) ? nil : scalar.string
    }

    func read(_ key: String, into value: inout Int, in range: ClosedRange<Int>) throws(ConfigurationError) {
        guard let text = try scalar(key) else { return }
        guard let number = Int(text), range.contains(number) else {
            let isOpen = range.upperBound == .max
            let bounds = isOpen ? "\(range.lowerBound) or more" : "\(range.lowerBound) to \(range.upperBound)"
            throw refusal(of: key, expected: "a whole number, \(bounds)")
        }
        value = number
    }

    func read(_ key: String, into value: inout UInt64) throws(ConfigurationError) {
        guard let text = try scalar(key) else { return }
        guard let number = UInt64(text) else { throw refusal(of: key, expected: "a whole number, 0 or more") }
        value = number
    }

    func read(_ key: String, into value: inout Bool) throws(ConfigurationError) {
        guard let text = try scalar(key) else { return }
        guard let flag = Bool(text) else { throw refusal(of: key, expected: "true or false") }
        value = flag
    }

    func read<Choice: RawRepresentable<String> & CaseIterable>(
        _ key: String,
        into value: inout Choice
    ) throws(ConfigurationError) {
        guard let text = try scalar(key) else { return }
        guard let choice = Choice(rawValue: text) else {
            throw refusal(of: key, expected: Choice.allCases.map(\.rawValue).joined(separator: " or "))
        }
        value = choice
    }

    func read(_ key: String, into value: inout Float, _ bounds: NumberBounds) throws(ConfigurationError) {
        guard let text = try scalar(key) else { return }
        value = try number(text, of: key, bounds, expected: bounds.description)
    }

    func read(_ key: String, into value: inout Double, _ bounds: NumberBounds) throws(ConfigurationError) {
        guard let text = try scalar(key) else { return }
        guard let number = Double(text), bounds.contains(number) else {
            throw refusal(of: key, expected: bounds.description)
        }
        value = number
    }

    /// Seconds.
    func read(_ key: String, into value: inout Duration, _ bounds: NumberBounds) throws(ConfigurationError) {
        var seconds = value.inSeconds
        try read(key, into: &seconds, bounds)
        value = .seconds(seconds)
    }

    /// A list of numbers, of `count` if that is given.
    func numbers(
        _ key: String,
        count: Int? = nil,
        _ bounds: NumberBounds
    ) throws(ConfigurationError) -> [Float]? {
        let expected = "a list of \(count.map { "\($0) " } ?? "")numbers, each \(bounds)"
        guard let texts = try list(key, expected: expected) else { return nil }
        if let count, texts.count != count { throw refusal(of: key, expected: expected) }
        var numbers: [Float] = []
        for text in texts { numbers.append(try number(text, of: key, bounds, expected: expected)) }
        return numbers
    }

    /// A list of words.
    func strings(_ key: String) throws(ConfigurationError) -> [String]? {
        try list(key, expected: "a list of names")
    }
}

extension ConfigurationValues {
    private func scalar(_ key: String) throws(ConfigurationError) -> String? {
        guard let entry = text.entries[key] else { return nil }
        guard let scalar = entry.value.scalar else { throw refusal(of: key, expected: "one value") }
        return scalar.string
    }

    private func list(_ key: String, expected: String) throws(ConfigurationError) -> [String]? {
        guard let entry = text.entries[key] else { return nil }
        guard let sequence = entry.value.sequence else { throw refusal(of: key, expected: expected) }
        let texts = sequence.compactMap { $0.scalar?.string }
        guard texts.count == sequence.count, !texts.isEmpty else {
            throw refusal(of: key, expected: expected)
        }
        return texts
    }

    private func number(
        _ text: String,
        of key: String,
        _ bounds: NumberBounds,
        expected: String
    ) throws(ConfigurationError) -> Float {
        guard let number = Float(text), bounds.contains(Double(number)) else {
            throw refusal(of: key, expected: expected)
        }
        return number
    }

    private func isNull(_ scalar: Node.Scalar) -> Bool {
        scalar.style == .plain && ["", "~", "null"].contains(scalar.string)
    }

    private static func shown(_ node: Node) -> String {
        switch node {
        case .scalar(let scalar): "'\(scalar.string)'"
        case .sequence(let sequence): "[\(sequence.map(shown).joined(separator: ", "))]"
        case .mapping: "a group"
        default: "an alias"
        }
    }
}

/// Numbers a value may take.
enum NumberBounds: CustomStringConvertible {
    case positive
    case atLeast(Double)
    case between(Double, Double)
    /// The lower bound belongs to it, the upper does not.
    case from(Double, below: Double)

    func contains(_ number: Double) -> Bool {
        switch self {
        case .positive: number > 0 && number.isFinite
        case .atLeast(let low): number >= low && number.isFinite
        case .between(let low, let high): number >= low && number <= high
        case .from(let low, let high): number >= low && number < high
        }
    }

    var description: String {
        switch self {
        case .positive: "a positive number"
        case .atLeast(let low): "a number, \(low) or more"
        case .between(let low, let high): "a number from \(low) to \(high)"
        case .from(let low, let high): "a number from \(low) to below \(high)"
        }
    }
}
