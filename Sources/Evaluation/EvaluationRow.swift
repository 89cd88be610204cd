/// One sampler's line in an evaluation: what it costs and how far from the teacher it ends.
package struct EvaluationRow: Codable, Sendable, Hashable {
    /// What was sampled, for a person to read.
    package let method: String
    /// Network evaluations a picture; a guided step costs two.
    package let functionEvaluations: Int
    /// Root mean square distance to the teacher's solution from the same noise.
    package let distanceToTeacher: DistanceStatistics

    package init(method: String, functionEvaluations: Int, distanceToTeacher: DistanceStatistics) {
        self.method = method
        self.functionEvaluations = functionEvaluations
        self.distanceToTeacher = distanceToTeacher
    }
}
