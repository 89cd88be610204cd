/// Why a run on this machine ended before it was finished.
package enum LocalError: Error, Equatable {
    /// A process ended in a way that starting it again does not heal.
    case processFailed(name: String, exit: ProcessExit, log: String, lastLine: String)
    /// A process ended too often.
    case processKeepsFailing(name: String, restarts: Int, log: String, lastLine: String)
    /// A person stopped it; the same command goes on with it.
    case interrupted(folder: String)

    var exit: ProcessExit {
        switch self {
        case .processFailed(_, let exit, _, _): exit
        case .processKeepsFailing: .internalError
        case .interrupted: .tryAgain
        }
    }
}

extension LocalError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .processFailed(let name, let exit, let log, let lastLine):
            "\(name): \(lastLine.isEmpty ? "ended with exit code \(exit.rawValue), see \(log)" : lastLine)"
        case .processKeepsFailing(let name, let restarts, let log, let lastLine):
            "\(name) ended again after \(restarts) restarts (\(log)): \(lastLine)"
        case .interrupted(let folder): "stopped: \(folder): run the same command again to go on"
        }
    }
}
