/// How sigmas are laid out between noise and data.
package enum ScheduleKind: String, Codable, Sendable, CaseIterable {
    /// One shift of an even grid that ends at zero: every step does work, and coarse grids nest in fine ones.
    case rectified
    /// What diffusers' `FlowMatchEulerDiscreteScheduler` makes: shifted twice, with a last step of almost no
    /// width.
    case stock
}
