/// Whether pictures show what their captions say: a share for each task, and their mean, as GenEval computes them
/// (Ghosh, Hajishirzi & Schmidt 2023).
package struct SceneScore: Codable, Sendable, Hashable {
    /// How one task went.
    package struct Task: Codable, Sendable, Hashable {
        package let task: SceneTask
        package let correct: Int
        package let total: Int
        /// The share of correct pictures.
        package let share: Double
    }

    /// The tasks that had a picture, in their order.
    package let tasks: [Task]
    /// The mean of the tasks' shares; 0 when there is none.
    package let overall: Double
    /// Half the width of the overall score's 95 % interval: the normal one, pictures of a task being independent.
    package let margin: Double

    /// - Parameter judgements: captions, and whether their picture shows them.
    package init(_ judgements: [(caption: SceneCaption, isCorrect: Bool)]) {
        tasks = SceneTask.allCases.compactMap { task in
            let judged = judgements.filter { $0.caption.task == task }
            guard !judged.isEmpty else { return nil }
            let correct = judged.count { $0.isCorrect }
            return Task(
                task: task,
                correct: correct,
                total: judged.count,
                share: Double(correct) / Double(judged.count)
            )
        }
        let count = max(1, Double(tasks.count))
        overall = tasks.reduce(0) { $0 + $1.share } / count
        let variance = tasks.reduce(0) { $0 + $1.share * (1 - $1.share) / Double($1.total) }
        margin = 1.96 * variance.squareRoot() / count
    }
}

extension SceneCaption {
    /// Whether sprites show the caption.
    ///
    /// They do when all that it names are there, as many as it counts, and the first stands to the second as it says.
    /// Others beside them do no harm, as in GenEval.
    package func isShown(by placements: [Scene.Placement]) -> Bool {
        func places(_ sprite: Sprite) -> [Scene.Placement] { placements.filter { $0.sprite == sprite } }
        switch self {
        case .singleObject(let sprite), .colors(let sprite):
            return !places(sprite).isEmpty
        case .counting(let sprite, let count):
            return places(sprite).count == count
        case .twoObject(let first, let second), .colorAttribution(let first, let second):
            return !places(first).isEmpty && !places(second).isEmpty
        case .position(let first, let relation, let second):
            return places(first).contains { one in
                places(second).contains { relation.holds(x: one.x - $0.x, y: one.y - $0.y) }
            }
        }
    }
}

extension SceneCaption.Relation {
    /// Whether the way from the second sprite to the first leads there: more than half of its unit vector does, as
    /// in GenEval.
    fileprivate func holds(x: Int, y: Int) -> Bool {
        let length = Double(x * x + y * y).squareRoot()
        let part =
            switch self {
            case .leftOf: -x
            case .rightOf: x
            case .above: -y
            case .below: y
            }
        return Double(part) > 0.5 * length
    }
}
