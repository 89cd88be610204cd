/// One sampler's line in an evaluation: what it costs, how far from the teacher it ends, and what its pictures
/// are worth.
package struct EvaluationRow: Codable, Sendable, Hashable {
    /// What was sampled, for a person to read.
    package let method: String
    /// Network evaluations a picture; a guided step costs two.
    package let functionEvaluations: Int
    /// Root mean square distance to the teacher's solution from the same noise.
    package let distanceToTeacher: DistanceStatistics
    /// Whether pictures show what scenes' captions say; nil where prompts are no captions of scenes.
    package let sceneScore: SceneScore?
    /// Squared Fréchet distance to the teacher's pictures, see ``FrechetDistance``; nil where latents are not
    /// pixels.
    package let frechetDistance: Double?
    /// Mean root mean square distance between the pictures of one prompt, over prompts.
    package let diversity: DistanceStatistics?

    package init(
        method: String,
        functionEvaluations: Int,
        distanceToTeacher: DistanceStatistics,
        sceneScore: SceneScore? = nil,
        frechetDistance: Double? = nil,
        diversity: DistanceStatistics? = nil
    ) {
        self.method = method
        self.functionEvaluations = functionEvaluations
        self.distanceToTeacher = distanceToTeacher
        self.sceneScore = sceneScore
        self.frechetDistance = frechetDistance
        self.diversity = diversity
    }
}
