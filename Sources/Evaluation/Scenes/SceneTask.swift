/// The six kinds of scene: those of GenEval (Ghosh, Hajishirzi & Schmidt 2023).
package enum SceneTask: String, Codable, Sendable, CaseIterable {
    case singleObject = "single_object"
    case colors
    case counting
    case twoObject = "two_object"
    case position
    case colorAttribution = "color_attr"
}
