extension Message {
    /// A number with a name, such as a loss term or a norm; it may be infinite or not a number.
    package struct Measurement: Sendable, Hashable {
        /// What was measured.
        package let name: String
        /// The number.
        package let value: Double

        /// A measurement of these fields.
        package init(name: String, value: Double) {
            self.name = name
            self.value = value
        }
    }

    /// Whether there is work for the nodes.
    package enum RunState: String, Sendable, Hashable, Codable, CaseIterable, CustomStringConvertible {
        /// There is.
        case running
        /// A person stopped the granting of leases and the opening of rounds.
        case paused
        /// What is begun is finished, nothing new begins.
        case draining
        /// The run is complete.
        case finished

        /// The state's name.
        package var description: String { rawValue }
    }

    /// What a person can command.
    package enum Action: String, Sendable, Hashable, Codable, CaseIterable, CustomStringConvertible {
        /// Grant no leases and open no rounds.
        case pause
        /// Undo a pause.
        case resume
        /// Let a node, or all of them, finish and leave.
        case drain
        /// Write a checkpoint of the newest round now.
        case checkpoint

        /// The action's name.
        package var description: String { rawValue }
    }
}
