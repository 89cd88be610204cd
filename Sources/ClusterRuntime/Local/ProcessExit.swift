import Checkpoints
import DiffusionModels
import Evaluation
import FlowMatching
import Foundation
import ImageFiles
import Tensors
import ZeroMQ

/// What a process's end means to whoever started it (sysexits.h).
package enum ProcessExit: Int32, Sendable, CaseIterable {
    case done = 0
    /// The command line was wrong.
    case usage = 64
    /// A model, a checkpoint, a key file or other data is wrong.
    case badData = 65
    /// Nobody answers where the coordinator should be.
    case unreachable = 69
    /// A failure of the program.
    case internalError = 70
    /// A file cannot be read or written: a full disk, a folder that is not ours.
    case inputOutput = 74
    /// The same command may succeed later.
    case tryAgain = 75
    /// The coordinator does not let this node in.
    case refused = 77
    case configuration = 78

    /// The exit of a process that ends for `error`.
    package init(of error: any Error) {
        switch error {
        case is ConfigurationError: self = .configuration
        case let error as CoordinatorError: self = ProcessExit(rawValue: error.exitCode) ?? .internalError
        case let error as NodeError: self = ProcessExit(rawValue: error.exitCode) ?? .internalError
        case let error as LocalError: self = error.exit
        case PretrainingError.diverged: self = .internalError
        case KeyFileError.exists: self = .usage
        case is FileWritingError, KeyFileError.unwritable, CheckpointError.unwritable,
            ImageFileError.unwritable:
            self = .inputOutput
        case let error as CocoaError where error.isFileError: self = .inputOutput
        case is WebError: self = .tryAgain
        case is KeyFileError, is ModelError, is CheckpointError, is EvaluationError, is ImageFileError,
            is FlowMatchingError, is LatentError, is StudyError, is PretrainingError:
            self = .badData
        case ZeroMQError.malformedKey: self = .badData
        case ZeroMQError.insecureEndpoint: self = .usage
        case is CancellationError: self = .tryAgain
        default: self = .internalError
        }
    }

    /// The one line a person is told before the process ends.
    package static func line(for error: any Error) -> String {
        let text = error is CancellationError ? "stopped" : "\(error)"
        return "flowsteer: " + text.split(whereSeparator: \.isNewline).joined(separator: " ") + "\n"
    }
}
