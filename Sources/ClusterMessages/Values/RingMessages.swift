extension Message {
    /// A member of a ring, with the weight of its offer.
    package struct RingMember: Sendable, Hashable {
        /// The trainer.
        package let node: NodeID
        /// Where it serves, `tcp://host:port`.
        package let endpoint: String
        /// The key it serves under, Z85; nil without encryption.
        package let publicKey: String?
        /// By which its offer is asked for.
        package let offer: ContentHash
        /// The samples that the ledger counted for it.
        package let sampleCount: Int

        /// A member of these fields.
        package init(
            node: NodeID,
            endpoint: String,
            publicKey: String?,
            offer: ContentHash,
            sampleCount: Int
        ) {
            self.node = node
            self.endpoint = endpoint
            self.publicKey = publicKey
            self.offer = offer
            self.sampleCount = sampleCount
        }
    }

    /// Asks a trainer for its share of a round's mean.
    package struct RingOpen: Sendable, Hashable {
        /// The round.
        package let round: RoundNumber
        /// Names the ring.
        package let ring: UInt64
        /// In the order of the sum; the k-th of them makes the k-th share.
        package let members: [RingMember]

        /// The most members a ring has.
        package static let largestMemberCount = 256

        /// A message of these fields.
        package init(round: RoundNumber, ring: UInt64, members: [RingMember]) {
            self.round = round
            self.ring = ring
            self.members = members
        }
    }

    /// Says that a trainer's share is made and served.
    package struct RingShare: Sendable, Hashable {
        /// Names the ring.
        package let ring: UInt64
        /// Of the mean's bytes.
        package let hash: ContentHash
        /// How many there are.
        package let byteCount: Int
        /// How far each offer is from the base within the share (L2, squared): by member, then by segment of parameters.
        package let squaredDistances: [Double]

        /// A message of these fields.
        package init(ring: UInt64, hash: ContentHash, byteCount: Int, squaredDistances: [Double]) {
            self.ring = ring
            self.hash = hash
            self.byteCount = byteCount
            self.squaredDistances = squaredDistances
        }
    }

    /// Says that a trainer's share cannot be made.
    package struct RingFailed: Sendable, Hashable {
        /// Names the ring.
        package let ring: UInt64
        /// Why, for the program.
        package let code: ErrorCode
        /// Why, for the person.
        package let text: String

        /// A message of these fields.
        package init(ring: UInt64, code: ErrorCode, text: String) {
            self.ring = ring
            self.code = code
            self.text = text
        }
    }

    /// Where a share of a ring's mean can be had.
    package struct RingMean: Sendable, Hashable {
        /// Where, `tcp://host:port`.
        package let endpoint: String
        /// The key it is served under, Z85; nil without encryption.
        package let publicKey: String?
        /// Of its bytes: 32-bit floats, little-endian, segment behind segment.
        package let hash: ContentHash
        /// How many there are.
        package let byteCount: Int

        /// A share of these fields.
        package init(endpoint: String, publicKey: String?, hash: ContentHash, byteCount: Int) {
            self.endpoint = endpoint
            self.publicKey = publicKey
            self.hash = hash
            self.byteCount = byteCount
        }
    }
}
