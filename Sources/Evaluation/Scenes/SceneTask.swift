/// The six kinds of scene: those of GenEval (Ghosh, Hajishirzi & Schmidt 2023).
package enum SceneTask: String, Codable, Sendable, CaseIterable {
    case singleObject = "single_object"
    case colors
    case counting
    case twoObject = "two_object"
    case position
    case colorAttribution = "color_attr"

    /// How often the teacher saw the task, and the student sees it; the six sum to 1.
    package var trainingProbability: Float {
        switch self {
        case .singleObject: 0.22
        case .colors: 0.12
        case .counting: 0.18
        case .twoObject: 0.18
        case .position: 0.18
        case .colorAttribution: 0.12
        }
    }

    /// The task of a uniform number in `(0, 1]`, by the training probabilities.
    static func drawn(by uniform: Float) -> SceneTask {
        var rest = uniform
        for task in allCases {
            rest -= task.trainingProbability
            if rest <= 0 { return task }
        }
        return .colorAttribution
    }
}
