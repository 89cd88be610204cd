/// How often each of the six tasks comes among captions to train on.
package struct SceneTaskShares: Sendable, Equatable {
    /// Of ``SceneTask/allCases``, in order; they sum to 1.
    package let values: [Float]

    /// The scenes' own (`teacher/SCENES.md`).
    package static let standard = SceneTaskShares(unchecked: [0.22, 0.12, 0.18, 0.18, 0.18, 0.12])

    /// Shares of all tasks, in order.
    ///
    /// - Returns: nil unless each task has one, none is below zero, and they sum to 1 within 1e-3.
    package init?(_ values: [Float]) {
        guard values.count == SceneTask.allCases.count, values.allSatisfy({ $0 >= 0 }),
            abs(values.reduce(0, +) - 1) < 1e-3
        else { return nil }
        self.values = values
    }

    private init(unchecked values: [Float]) { self.values = values }

    /// The task of a uniform number in `(0, 1]`.
    func task(of uniform: Float) -> SceneTask {
        var rest = uniform
        var drawn = SceneTask.colorAttribution
        for (task, share) in zip(SceneTask.allCases, values) where share > 0 {
            drawn = task
            rest -= share
            if rest <= 0 { break }
        }
        return drawn
    }
}
