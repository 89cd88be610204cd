extension Message {
    /// Asks for bytes of a committed round's parameters.
    package struct ParameterRequest: Sendable, Hashable {
        /// The committed round.
        package let round: RoundNumber
        /// The segment.
        package let segment: String
        /// The first byte wanted.
        package let offset: Int
        /// How many bytes may be sent.
        package let creditByteCount: Int

        /// A message of these fields.
        package init(round: RoundNumber, segment: String, offset: Int, creditByteCount: Int) {
            self.round = round
            self.segment = segment
            self.offset = offset
            self.creditByteCount = creditByteCount
        }
    }

    /// Bytes of a committed round's parameters.
    package struct ParameterFragment: Sendable, Hashable {
        /// The committed round.
        package let round: RoundNumber
        /// The segment.
        package let segment: String
        /// The position of the payload's first byte.
        package let offset: Int
        /// Bytes of the whole segment.
        package let totalByteCount: Int
        /// The bytes, at most 1 MiB.
        package let payload: [UInt8]

        /// A message of these fields.
        package init(round: RoundNumber, segment: String, offset: Int, totalByteCount: Int, payload: [UInt8])
        {
            self.round = round
            self.segment = segment
            self.offset = offset
            self.totalByteCount = totalByteCount
            self.payload = payload
        }

        /// Whether these bytes are the segment's last.
        package var isLast: Bool { offset + payload.count == totalByteCount }
    }
}
