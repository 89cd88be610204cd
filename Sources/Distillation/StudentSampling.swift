/// How a student is sampled: it belongs to the student as its sigmas do.
package struct StudentSampling: Sendable, Equatable {
    package var rule = SamplingRule.euler
    /// Guidance scale; 1 is none and half the work.
    package var guidance: Float = 1

    package init() {}

    private static let ruleKey = "flowsteer_sampling"
    private static let guidanceKey = "flowsteer_guidance"

    /// What a student's file says of it in its `__metadata__`; nothing where it is Euler's method without guidance.
    package var metadata: [String: String] {
        self == Self() ? [:] : [Self.ruleKey: rule.description, Self.guidanceKey: "\(guidance)"]
    }

    /// Reads a file's metadata; nil where they are there and mean nothing.
    package init?(metadata: [String: String]) {
        if let text = metadata[Self.ruleKey] {
            guard let rule = SamplingRule(text) else { return nil }
            self.rule = rule
        }
        if let text = metadata[Self.guidanceKey] {
            guard let guidance = Float(text), guidance.isFinite, guidance > 0 else { return nil }
            self.guidance = guidance
        }
    }
}
