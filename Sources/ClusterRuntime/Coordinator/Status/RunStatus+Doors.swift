import ZeroMQ

extension RunStatus {
    /// What one of the coordinator's sockets let in and kept out since its process began.
    package struct Door: Codable, Sendable, Equatable {
        /// The plane: control, averaging, checkpoints or announcements.
        package var name: String
        /// Connections somebody opened.
        package var accepted = 0
        /// Those that passed the handshake.
        package var admitted = 0
        /// Those that are over.
        package var ended = 0
        /// Those ended for a message without end, or for being one too many.
        package var cut = 0
        /// Messages taken in.
        package var messages = 0
        /// Their bytes.
        package var byteCount = 0
        /// Messages handed out.
        package var sentMessages = 0
        /// Their bytes.
        package var sentByteCount = 0
        /// Messages dropped for their number of frames.
        package var tooManyFrames = 0
        /// Messages dropped for the size of a frame or of all frames.
        package var tooLarge = 0
        /// Messages dropped because their sender sent too many.
        package var tooFast = 0
    }
}

extension RunStatus.Door {
    init(_ name: String, _ counters: ChannelCounters) {
        self.name = name
        accepted = counters.acceptedConnectionCount
        admitted = counters.admittedConnectionCount
        ended = counters.endedConnectionCount
        cut = counters.cutConnectionCount
        messages = counters.receivedCount
        byteCount = counters.receivedByteCount
        sentMessages = counters.sentCount
        sentByteCount = counters.sentByteCount
        tooManyFrames = counters.droppedForFrameCount
        tooLarge = counters.droppedForFrameSize + counters.droppedForMessageSize
        tooFast = counters.droppedForRate
    }
}
