import Checkpoints
package import ClusterMessages

/// What a run is: two processes with equal identities work on the same one.
package struct RunIdentity: Sendable, Equatable {
    /// The first 16 digits of the configuration's hash.
    package let runID: String
    /// SHA-256 of the resolved configuration.
    package let configuration: ContentHash
    /// ``ModelFolder/contentDigest()`` of the teacher.
    package let teacher: ContentHash
    /// The parameters of round 0.
    package let initialParameters: ContentHash

    /// The identity of the run that a resolved configuration describes.
    package init(yaml: String, teacher: ContentHash, initialParameters: ContentHash) {
        configuration = ContentHash(ContentDigest(of: Array(yaml.utf8)))
        runID = String(configuration.description.prefix(16))
        self.teacher = teacher
        self.initialParameters = initialParameters
    }
}
