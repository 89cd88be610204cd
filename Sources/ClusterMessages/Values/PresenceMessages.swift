extension Message {
    /// A node's sign of life, at the pace of its welcome.
    package struct Ping: Sendable, Hashable {
        /// Rises with every piece of work done.
        package let progress: Int
        /// Bytes of trajectories the node holds.
        package let heldByteCount: Int
        /// What it does or waits for, for people.
        package let activity: String
        /// Time since its start spent computing; whole microseconds.
        package let computeTime: Duration
        /// Time spent waiting for work.
        package let waitTime: Duration
        /// Time spent sending and receiving.
        package let wireTime: Duration
        /// The most memory it ever had resident.
        package let peakMemoryByteCount: Int

        /// A message of these fields.
        package init(
            progress: Int,
            heldByteCount: Int,
            activity: String,
            computeTime: Duration,
            waitTime: Duration,
            wireTime: Duration,
            peakMemoryByteCount: Int
        ) {
            self.progress = progress
            self.heldByteCount = heldByteCount
            self.activity = activity
            self.computeTime = computeTime
            self.waitTime = waitTime
            self.wireTime = wireTime
            self.peakMemoryByteCount = peakMemoryByteCount
        }
    }

    /// The coordinator's answer to a ping; the epoch is that of the header.
    package struct Pong: Sendable, Hashable {
        /// The newest committed round.
        package let latestRound: RoundNumber
        /// The manifest of its checkpoint; nil before the first.
        package let manifestHash: ContentHash?
        /// Whether there is work.
        package let state: RunState
        /// Whom a rollout serves.
        package let trainerPublicKeys: [String]

        /// A message of these fields.
        package init(
            latestRound: RoundNumber,
            manifestHash: ContentHash?,
            state: RunState,
            trainerPublicKeys: [String]
        ) {
            self.latestRound = latestRound
            self.manifestHash = manifestHash
            self.state = state
            self.trainerPublicKeys = trainerPublicKeys
        }
    }

    /// The last message of a node that leaves by itself.
    package struct Goodbye: Sendable, Hashable {
        /// Why, for people.
        package let reason: String
        /// Leases it will not fulfil.
        package let returningLeases: [HeldLease]

        /// A message of these fields.
        package init(reason: String, returningLeases: [HeldLease]) {
            self.reason = reason
            self.returningLeases = returningLeases
        }
    }

    /// Asks a node to finish what it began, take nothing new and say goodbye.
    package struct Drain: Sendable, Hashable {
        /// Why, for people.
        package let reason: String

        /// A message of these fields.
        package init(reason: String) {
            self.reason = reason
        }
    }
}
