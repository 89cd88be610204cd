/// What a look at a machine found before a run uses it, a line a subject.
package struct Checkup: Sendable {
    package enum Verdict: String, Sendable {
        case ok
        /// A run works, slower or not as large as it could be.
        case warning
        /// A run will fail.
        case problem
    }

    /// One line.
    package struct Finding: Sendable, Equatable {
        package let verdict: Verdict
        package let subject: String
        /// What is the case.
        package let found: String
        /// What should be, and what to do next; nil where nothing is to be done.
        package let remedy: Remedy?

        package static func ok(_ subject: String, _ found: String) -> Finding {
            Finding(verdict: .ok, subject: subject, found: found, remedy: nil)
        }

        static func warning(_ subject: String, _ found: String, _ remedy: Remedy) -> Finding {
            Finding(verdict: .warning, subject: subject, found: found, remedy: remedy)
        }

        static func problem(_ subject: String, _ found: String, _ remedy: Remedy) -> Finding {
            Finding(verdict: .problem, subject: subject, found: found, remedy: remedy)
        }
    }

    package struct Remedy: Sendable, Equatable {
        package let expected: String
        package let next: String
    }

    package let findings: [Finding]

    package init(_ findings: [Finding]) { self.findings = findings }

    /// All lines, for a person.
    package var text: String { findings.map(\.line).joined(separator: "\n") }

    /// What the process ends with: problems of this machine come before those of others.
    package var exit: ProcessExit {
        let problems = findings.filter { $0.verdict == .problem }
        if problems.isEmpty { return .done }
        return problems.allSatisfy { $0.subject == Self.reach } ? .unreachable : .configuration
    }

    static let reach = "reach"
}

extension Checkup.Finding {
    /// Verdict and subject, what was found, what was expected and what is next.
    package var line: String {
        let verdict = verdict.rawValue.padding(toColumn: 9)
        guard let remedy else { return "\(verdict)\(subject): \(found)" }
        return "\(verdict)\(subject): \(found); expected \(remedy.expected); next: \(remedy.next)"
    }
}

extension String {
    fileprivate func padding(toColumn column: Int) -> String {
        self + String(repeating: " ", count: max(1, column - count))
    }
}
