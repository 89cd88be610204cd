import ClusterMessages

/// What never changes while a coordinator lives, as its welcomes tell it.
struct RunFacts: Sendable {
    let identity: RunIdentity
    /// The resolved configuration.
    let yaml: String
    let seed: UInt64
    let batchSamples: Int
    let averagingEndpoint: String
    let checkpointEndpoint: String
    let announcementEndpoint: String
    /// Nil when insecure.
    let serverPublicKey: String?
}
