/// Whether a process that ended is started again: always, unless it says that nothing would change, or it ends
/// at once again and again.
struct RestartPolicy: Sendable, Equatable {
    /// What becomes of a process.
    enum Decision: Equatable, Sendable {
        /// It did its work.
        case leave
        case restart
        /// Its exit says that it would end the same way again.
        case fail(ProcessExit)
        case giveUp(restarts: Int)
    }

    /// Restarts within ``window`` after which it is given up.
    private static let limit = 5
    private static let window: Duration = .seconds(60)

    private var recent: [Duration] = []

    /// - Parameter elapsed: since the run began, growing from call to call.
    mutating func decide(_ end: ChildEnd, at elapsed: Duration) -> Decision {
        switch end {
        case .exited(0): return .leave
        case .exited(let code):
            let exit = ProcessExit(rawValue: code) ?? .internalError
            if [.usage, .badData, .refused, .configuration].contains(exit) { return .fail(exit) }
        case .killed: break
        }
        recent = recent.filter { elapsed - $0 < Self.window }
        guard recent.count < Self.limit else { return .giveUp(restarts: recent.count) }
        recent.append(elapsed)
        return .restart
    }
}
