import Foundation

/// A JSON file of a model folder, read field by field so that an error names the file and the field.
struct ConfigurationFile {
    let path: String
    private let fields: [String: Any]

    init(path: String, purpose: String) throws(ModelError) {
        self.path = path
        guard let data = FileManager.default.contents(atPath: path) else {
            throw .missingFile(path: path, purpose: purpose)
        }
        let object: Any
        do {
            object = try JSONSerialization.jsonObject(with: data)
        } catch {
            throw .badFile(path: path, reason: "is not JSON")
        }
        guard let fields = object as? [String: Any] else {
            throw .badFile(path: path, reason: "is not a JSON object")
        }
        self.fields = fields
    }

    /// A positive whole number.
    func count(_ field: String) throws(ModelError) -> Int {
        guard let number = fields[field] as? Int, number > 0, number <= 1 << 24 else {
            throw .unsupported(
                path: path,
                field: field,
                value: text(field),
                expected: "a positive whole number"
            )
        }
        return number
    }

    /// A positive whole number, or `fallback` where the field is absent or null.
    func count(_ field: String, or fallback: Int) throws(ModelError) -> Int {
        isPresent(field) ? try count(field) : fallback
    }

    /// A finite number, or `fallback` where the field is absent or null.
    func number(_ field: String, or fallback: Float) throws(ModelError) -> Float {
        guard isPresent(field) else { return fallback }
        guard let number = fields[field] as? Double, number.isFinite else {
            throw .unsupported(path: path, field: field, value: text(field), expected: "a number")
        }
        return Float(number)
    }

    /// Refuses a field of another value.
    ///
    /// - Parameter orAbsent: the field may be absent or null.
    func require(_ field: String, _ value: String, orAbsent: Bool = false) throws(ModelError) {
        if orAbsent, !isPresent(field) { return }
        guard string(field) == value else {
            throw .unsupported(path: path, field: field, value: text(field), expected: value)
        }
    }

    /// At least one positive whole number.
    func counts(_ field: String) throws(ModelError) -> [Int] {
        guard let numbers = fields[field] as? [Int], !numbers.isEmpty,
            numbers.allSatisfy({ $0 > 0 && $0 <= 1 << 24 })
        else {
            throw .unsupported(
                path: path,
                field: field,
                value: text(field),
                expected: "positive whole numbers"
            )
        }
        return numbers
    }

    /// Whole numbers that are not negative; none where the field is absent or null.
    func indices(_ field: String) throws(ModelError) -> [Int] {
        guard isPresent(field) else { return [] }
        guard let numbers = fields[field] as? [Int], numbers.allSatisfy({ $0 >= 0 }) else {
            throw .unsupported(
                path: path,
                field: field,
                value: text(field),
                expected: "a list of whole numbers"
            )
        }
        return numbers
    }

    /// A whole number that is not negative, or `fallback` where the field is absent or null.
    func index(_ field: String, or fallback: Int) throws(ModelError) -> Int {
        guard isPresent(field) else { return fallback }
        guard let number = fields[field] as? Int, (0...1 << 24).contains(number) else {
            throw .unsupported(path: path, field: field, value: text(field), expected: "a whole number")
        }
        return number
    }

    /// Throws where the field, a text or a list of one text, is there and says something else.
    func check(_ field: String, isOneOf allowed: [String]) throws(ModelError) {
        guard isPresent(field) else { return }
        let found = fields[field] as? String ?? (fields[field] as? [String])?.first
        guard let found, allowed.contains(found) else {
            throw .unsupported(
                path: path,
                field: field,
                value: found ?? text(field),
                expected: allowed.joined(separator: " or ")
            )
        }
    }

    func string(_ field: String) -> String? { fields[field] as? String }

    /// A text, or `fallback` where the field is absent or null.
    func string(_ field: String, or fallback: String) throws(ModelError) -> String {
        guard isPresent(field) else { return fallback }
        guard let string = string(field) else {
            throw .unsupported(path: path, field: field, value: text(field), expected: "a text")
        }
        return string
    }

    func strings(_ field: String) -> [String] { fields[field] as? [String] ?? [] }

    /// A truth value, or `fallback` where the field is absent or null.
    func isTrue(_ field: String, or fallback: Bool = false) throws(ModelError) -> Bool {
        guard isPresent(field) else { return fallback }
        guard let value = fields[field] as? Bool else {
            throw .unsupported(path: path, field: field, value: text(field), expected: "true or false")
        }
        return value
    }

    /// The class a component of `model_index.json` is of; nil for a component that is absent or null.
    func componentClass(_ name: String) -> String? {
        (fields[name] as? [Any])?.last as? String
    }

    /// Throws unless a component of `model_index.json` is of this class.
    func checkComponent(_ name: String, isOf expected: String) throws(ModelError) {
        let found = componentClass(name)
        guard found == expected else {
            throw .unsupported(path: path, field: name, value: found ?? "absent", expected: expected)
        }
    }

    func isPresent(_ field: String) -> Bool { fields[field].map { !($0 is NSNull) } ?? false }

    private func text(_ field: String) -> String { fields[field].map { "\($0)" } ?? "absent" }
}
