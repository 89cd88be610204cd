package import ClusterMessages
import Foundation

/// Why a coordinator cannot start or go on.
package enum CoordinatorError: Error, Equatable {
    /// Another coordinator works in the run's folder.
    case folderInUse(path: String)
    /// The folder holds a run of another configuration.
    case otherConfiguration(folder: String, recorded: String, given: String)
    /// The folder's run began with other parameters or another teacher than the configuration gives today.
    case otherBeginning(folder: String, what: String, recorded: String, given: String)
    /// There is no ledger to look at.
    case noLedger(path: String)
    /// A run's ledger and log contradict each other.
    case contradictions(folder: String, count: Int)
    /// The ledger's file cannot be read or written.
    case ledger(path: String, reason: String)
    /// The checkpoint that the ledger names is not there, or is another; `whole` is the newest round before it
    /// whose checkpoint is.
    case lostCheckpoint(folder: String, round: RoundNumber, reason: String, whole: RoundNumber)
    /// A run cannot be taken back to a round.
    case noRewinding(folder: String, to: RoundNumber, reason: String)
    /// A line of the file of authorized nodes is none.
    case badAuthorization(path: String, line: Int?, reason: String)
    /// The prompts cannot be had.
    case badPrompts(path: String, reason: String)
    /// A line of the file of prompts is none, or holds none.
    case badPrompt(path: String, line: Int, reason: String)
    /// A file of the run's folder cannot be written.
    case unwritable(path: String, reason: String)
    /// There is no room for a file of the run's folder.
    case diskFull(path: String)
    /// A round's parameters are not finite, or are not those of this run.
    case badParameters(round: RoundNumber, reason: String)

    /// Whether the file of authorized nodes is wrong.
    var isAboutAuthorization: Bool {
        if case .badAuthorization = self { true } else { false }
    }

    /// What an error of Foundation's means for a file that was to be written.
    init(writing path: String, _ error: any Error) {
        self =
            (error as? CocoaError)?.code == .fileWriteOutOfSpace
            ? .diskFull(path: path) : .unwritable(path: path, reason: "\(error)")
    }

    /// The process's exit code (sysexits.h): 78 configuration, 75 try again, 65 bad data, 74 input and output.
    package var exitCode: Int32 {
        switch self {
        case .otherConfiguration, .otherBeginning, .badAuthorization: 78
        case .folderInUse, .diskFull: 75
        case .lostCheckpoint, .noRewinding, .badPrompts, .badPrompt, .badParameters, .noLedger,
            .contradictions:
            65
        case .ledger, .unwritable: 74
        }
    }
}

extension CoordinatorError: CustomStringConvertible {
    /// One line for a person.
    package var description: String {
        switch self {
        case .folderInUse(let path): "\(path): another coordinator works in this folder"
        case .otherConfiguration(let folder, let recorded, let given):
            "\(folder): holds run \(recorded) of another configuration than run \(given); take another folder"
        case .otherBeginning(let folder, let what, let recorded, let given):
            "\(folder): its run began with the \(what) \(recorded), now there is \(given): "
                + "go on with the program and the teacher that it began with, or begin another run elsewhere"
        case .noLedger(let path): "\(path): there is no such file: expected the ledger of a run"
        case .contradictions(let folder, let count):
            "\(folder): ledger and log contradict each other, or themselves, in \(count) places"
        case .ledger(let path, let reason): "\(path): \(reason)"
        case .lostCheckpoint(let folder, let round, let reason, let whole):
            "\(folder): the ledger names round \(round), but \(reason): "
                + "put that round's folder back, every worker that fetches checkpoints has a copy; or, without "
                + "one, take the run back to round \(whole): flowsteer ledger rewind RUN --to \(whole)"
        case .noRewinding(let folder, let round, let reason):
            "\(folder): cannot be taken back to round \(round): \(reason)"
        case .badAuthorization(let path, let line, let reason):
            "\(path)\(line.map { ":\($0)" } ?? ""): \(reason)"
        case .badPrompts(let path, let reason): "\(path): no prompts: \(reason)"
        case .badPrompt(let path, let line, let reason): "\(path):\(line): \(reason)"
        case .unwritable(let path, let reason): "\(path): cannot be written: \(reason)"
        case .diskFull(let path): "\(path): the disk is full; with room on it, the same command goes on"
        case .badParameters(let round, let reason): "the parameters of round \(round): \(reason)"
        }
    }
}
