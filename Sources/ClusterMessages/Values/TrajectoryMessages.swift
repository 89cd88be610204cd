extension Message {
    /// Asks a rollout for bytes of a batch.
    package struct Fetch: Sendable, Hashable {
        /// The hash of all its bytes.
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

    /// Bytes of a batch or of a checkpoint's file, in answer to a fetch or chunk request.
    package struct Chunk: Sendable, Hashable {
        /// The hash of all the bytes, not of these.
        package let hash: ContentHash
        /// The position of the payload's first byte.
        package let offset: Int
        /// How many bytes there are in all.
        package let totalByteCount: Int
        /// The bytes, at most 1 MiB.
        package let payload: [UInt8]

        /// A message of these fields.
        package init(hash: ContentHash, offset: Int, totalByteCount: Int, payload: [UInt8]) {
            self.hash = hash
            self.offset = offset
            self.totalByteCount = totalByteCount
            self.payload = payload
        }

        /// Whether these bytes are the last of all.
        package var isLast: Bool { offset + payload.count == totalByteCount }
    }

    /// Answers a fetch, manifest request or chunk request that cannot be served.
    package struct FetchError: Sendable, Hashable {
        /// What was asked for; nil for a manifest asked for by its round.
        package let hash: ContentHash?
        /// Why, for the program.
        package let code: ErrorCode
        /// Why, for the person.
        package let text: String

        /// A message of these fields.
        package init(hash: ContentHash?, code: ErrorCode, text: String) {
            self.hash = hash
            self.code = code
            self.text = text
        }
    }
}
