extension Message {
    /// The status of the run; also the answer to a command that was carried out.
    package struct Status: Sendable, Hashable {
        /// The status, JSON.
        package let payload: [UInt8]

        /// A message of these fields.
        package init(payload: [UInt8]) {
            self.payload = payload
        }
    }

    /// A person's command; answered by status or refuse.
    package struct Command: Sendable, Hashable {
        /// What to do.
        package let action: Action
        /// The node to drain; nil for the whole cluster.
        package let node: NodeID?

        /// A message of these fields.
        package init(action: Action, node: NodeID?) {
            self.action = action
            self.node = node
        }
    }
}
