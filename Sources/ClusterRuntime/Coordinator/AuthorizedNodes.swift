package import ClusterMessages
import FoundationEssentials
package import ZeroMQ

/// Who may come in: a file with one `name role public-key` a line.
///
/// Roles are rollout, trainer and operator. Lines that begin with `#` are comments; elsewhere `#` belongs to a
/// key.
package struct AuthorizedNodes: Sendable, Equatable {
    /// One line.
    package struct Node: Sendable, Equatable {
        /// What people call it.
        package let name: String
        /// What its key permits it to be.
        package let role: Role
    }

    private let nodes: [CurvePublicKey: Node]

    /// Reads a file.
    package init(path: String) throws(CoordinatorError) {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw .badAuthorization(
                path: path,
                line: nil,
                reason: "there is no such file: expected one with `name role public-key` a line"
            )
        }
        try self.init(text: String(decoding: data, as: UTF8.self), path: path)
    }

    /// Reads a file's text; `path` names it in errors.
    package init(text: String, path: String) throws(CoordinatorError) {
        var nodes: [CurvePublicKey: Node] = [:]
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
            guard let first = words.first, !first.hasPrefix("#") else { continue }
            func refusal(_ reason: String) -> CoordinatorError {
                .badAuthorization(path: path, line: index + 1, reason: reason)
            }
            guard words.count == 3 else {
                throw refusal("expected `name role public-key`, got \(words.count) words")
            }
            guard let role = Role(rawValue: words[1]), role != .coordinator else {
                throw refusal("'\(words[1])' is no role: expected rollout, trainer or operator")
            }
            let key: CurvePublicKey
            do { key = try CurvePublicKey(words[2]) } catch { throw refusal("\(error)") }
            guard nodes.updateValue(Node(name: first, role: role), forKey: key) == nil else {
                throw refusal("the key of \(first) is listed twice")
            }
        }
        self.nodes = nodes
    }

    /// How many there are.
    package var count: Int { nodes.count }

    /// What a key permits; nil for an unknown one.
    package subscript(key: CurvePublicKey) -> Node? { nodes[key] }

    /// The keys of some roles.
    package func keys(of roles: Set<Role>) -> Set<CurvePublicKey> {
        Set(nodes.filter { roles.contains($0.value.role) }.keys)
    }
}
