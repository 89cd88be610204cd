package import Tensors

/// Whether pictures show what their captions say: a share for each task, and their mean, as GenEval computes them
/// (Ghosh, Hajishirzi & Schmidt 2023).
package struct SceneScore: Codable, Sendable, Hashable {
    /// How one task went.
    package struct Task: Codable, Sendable, Hashable {
        package let task: SceneTask
        package let correct: Int
        package let total: Int

        /// The share of correct pictures.
        package var share: Double { Double(correct) / Double(total) }
    }

    /// The tasks that had a picture, in their order.
    package let tasks: [Task]

    /// The mean of the tasks' shares; 0 when there is none.
    package var overall: Double {
        tasks.isEmpty ? 0 : tasks.reduce(0) { $0 + $1.share } / Double(tasks.count)
    }

    /// - Parameter judgements: captions, and whether their picture shows them.
    package init(_ judgements: [(caption: SceneCaption, isCorrect: Bool)]) {
        tasks = SceneTask.allCases.compactMap { task in
            let judged = judgements.filter { $0.caption.task == task }
            guard !judged.isEmpty else { return nil }
            return Task(task: task, correct: judged.count { $0.isCorrect }, total: judged.count)
        }
    }

    /// Reads pictures and judges them.
    ///
    /// - Parameter pictures: `[captions, 3, 32, 32]` in model space.
    package init(of pictures: Tensor, captions: [SceneCaption], readBy reader: SceneReader) {
        precondition(pictures.shape[0] == captions.count, "a picture for each of \(captions.count) captions")
        self.init(
            captions.enumerated().map { index, caption in
                (caption, caption.isShown(by: reader.read(pictures.row(index)).map(\.placement)))
            }
        )
    }
}

extension SceneCaption {
    /// Whether sprites show the caption: all that it names are there, as many as it counts, and the first stands to
    /// the second as it says. Others beside them do no harm, as in GenEval.
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
