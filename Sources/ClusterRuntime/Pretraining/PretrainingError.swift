/// Why a teacher is not trained.
package enum PretrainingError: Error, Equatable {
    /// The folder holds a training with another value of a setting.
    case otherSettings(path: String, option: String, there: String, asked: String)
    /// The folder's settings cannot be read.
    case unreadable(path: String)
    /// The model lies in the folder that is written to.
    case startInside(model: String, out: String)
    /// Gradients have not been finite for a while.
    case diverged(step: Int, updates: Int)
}

extension PretrainingError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .otherSettings(let path, let option, let there, let asked):
            """
            \(path): the training there has \(option) \(there), asked for \(asked): expected the same, or another \
            folder as --out
            """
        case .unreadable(let path): "\(path): expected the settings that flowsteer pretrain wrote there"
        case .startInside(let model, let out):
            "\(model): lies in \(out), which is written to: expected a model elsewhere, or another folder as --out"
        case .diverged(let step, let updates):
            """
            the gradient has not been finite for \(updates) updates, up to step \(step): a lower --learning-rate or a \
            longer --warmup may help; the state before is kept
            """
        }
    }
}
