extension Message {
    /// A hint that there is a new checkpoint, which every pong repeats; or a rollout's word that it has it.
    package struct Announce: Sendable, Hashable {
        /// The checkpoint's round.
        package let round: RoundNumber
        /// The hash of its manifest.
        package let manifestHash: ContentHash

        /// A message of these fields.
        package init(round: RoundNumber, manifestHash: ContentHash) {
            self.round = round
            self.manifestHash = manifestHash
        }
    }

    /// Asks for the manifest of a checkpoint.
    package enum ManifestRequest: Sendable, Hashable {
        /// Of the checkpoint of a round.
        case round(RoundNumber)
        /// The manifest of this hash.
        case hash(ContentHash)
    }

    /// A node that serves a checkpoint's files to trainers.
    package struct Holder: Sendable, Hashable {
        /// Where, `tcp://host:port`.
        package let endpoint: String
        /// The key it serves under, Z85; nil without encryption.
        package let publicKey: String?

        /// A message of these fields.
        package init(endpoint: String, publicKey: String?) {
            self.endpoint = endpoint
            self.publicKey = publicKey
        }
    }

    /// A checkpoint's manifest, in answer to a manifest request.
    package struct Manifest: Sendable, Hashable {
        /// The checkpoint's round.
        package let round: RoundNumber
        /// The hash of the payload.
        package let hash: ContentHash
        /// The manifest, JSON.
        package let payload: [UInt8]
        /// Some of those who have the checkpoint, for a trainer to ask first.
        package let holders: [Holder]

        /// The most holders one manifest names.
        package static let largestHolderCount = 8

        /// A message of these fields.
        package init(round: RoundNumber, hash: ContentHash, payload: [UInt8], holders: [Holder] = []) {
            self.round = round
            self.hash = hash
            self.payload = payload
            self.holders = holders
        }
    }

    /// Asks for bytes of a checkpoint's file; answered by chunks.
    package struct ChunkRequest: Sendable, Hashable {
        /// The hash of the whole file.
        package let hash: ContentHash
        /// The first byte wanted.
        package let offset: Int
        /// How many bytes may be sent.
        package let creditByteCount: Int

        /// A message of these fields.
        package init(hash: ContentHash, offset: Int, creditByteCount: Int) {
            self.hash = hash
            self.offset = offset
            self.creditByteCount = creditByteCount
        }
    }
}
