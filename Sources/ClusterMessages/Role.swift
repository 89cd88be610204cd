/// What a process is in the cluster.
package enum Role: String, Sendable, Hashable, Codable, CaseIterable, CustomStringConvertible {
    /// Keeps the ledger, grants leases, averages, commits. There is one.
    case coordinator
    /// Solves the teacher's ODE and serves trajectories.
    case rollout
    /// Updates a student and a discriminator on trajectories.
    case trainer
    /// A person's command line: asks for the status and gives commands.
    case `operator`

    /// The role's name.
    package var description: String { rawValue }
}
