package import Tensors

/// AdamW with gradient clipping by global norm, over flat parameters (Loshchilov & Hutter 2019).
package struct AdamW: Sendable {
    /// What both moments are kept in.
    package enum Storage: String, Sendable, Codable, CaseIterable {
        /// 32-bit floats: eight bytes a parameter.
        case floats = "adamw"
        /// A byte each, quantised in blocks: two bytes a parameter.
        case bytes = "adamw8bit"

        /// Bytes of both moments of so many parameters.
        package func byteCount(of count: Int) -> Int {
            switch self {
            case .floats: 2 * count * ScalarType.float32.byteCount
            case .bytes: ByteMoments.byteCount(of: count)
            }
        }
    }

    package struct Settings: Sendable, Codable, Equatable {
        package var storage = Storage.floats
        package var learningRate: Float
        package var beta1: Float
        package var beta2: Float
        package var epsilon: Float
        package var weightDecay: Float
        /// Largest norm of a gradient; longer ones are scaled down to it.
        package var gradientClip: Float
        /// Updates over which the learning rate rises linearly from zero.
        package var warmupSteps: Int
        /// Updates at whose end the learning rate has fallen linearly to zero; 0 keeps it.
        package var decaySteps: Int

        package init(
            learningRate: Float,
            beta1: Float = 0.9,
            beta2: Float = 0.999,
            epsilon: Float = 1e-8,
            weightDecay: Float = 0.01,
            gradientClip: Float = 1,
            warmupSteps: Int = 0,
            decaySteps: Int = 0
        ) {
            self.learningRate = learningRate
            self.beta1 = beta1
            self.beta2 = beta2
            self.epsilon = epsilon
            self.weightDecay = weightDecay
            self.gradientClip = gradientClip
            self.warmupSteps = warmupSteps
            self.decaySteps = decaySteps
        }

        /// What the learning rate of an update, counted from 1, is multiplied with.
        package func learningRateFactor(step: Int) -> Float {
            let rise = warmupSteps > 0 ? min(1, Float(step) / Float(warmupSteps)) : 1
            let fall = decaySteps > 0 ? max(0, 1 - Float(step - 1) / Float(decaySteps)) : 1
            return min(rise, fall)
        }
    }

    /// The owner may change the learning rate between updates.
    package var settings: Settings
    private let moments: Moments
    /// Updates made so far, by which the learning rate rises and falls.
    package private(set) var stepCount: Int
    /// Updates that the moments have seen, by which their bias is corrected: all, unless moments were lost.
    package private(set) var momentAge: Int

    /// An optimizer that has made no update.
    ///
    /// - Parameter memory: where the moments lie; resident memory is never refused.
    package init(
        _ settings: Settings,
        parameterCount: Int,
        in memory: StateMemory = .resident
    ) throws(FileWritingError) {
        self.settings = settings
        moments = try Moments(settings.storage, count: parameterCount, in: memory)
        stepCount = 0
        momentAge = 0
    }

    /// Goes on after so many updates.
    package mutating func resume(stepCount: Int) { self.stepCount = stepCount }

    /// Goes on with moments that have seen so many updates; the owner has written them.
    package mutating func resume(momentAge: Int) { self.momentAge = momentAge }

    /// Moves `parameters` in place along `gradients`, and says how long the gradient was before clipping.
    ///
    /// A gradient that is not finite changes nothing: the caller sees it in the returned norm.
    /// - Parameter pool: lanes that share the parameters, if any; the result is the same.
    @discardableResult
    package mutating func update(
        _ parameters: ParameterSet,
        gradients: ParameterGradients,
        pool: LanePool? = nil
    ) -> Double {
        let norm = gradients.norm(pool: pool)
        guard norm.isFinite else { return norm }
        stepCount += 1
        momentAge += 1
        let step = AdamWStep(
            number: momentAge,
            learningRate: settings.learningRate * settings.learningRateFactor(step: stepCount),
            betas: (settings.beta1, settings.beta2),
            epsilon: settings.epsilon,
            weightDecay: settings.weightDecay,
            gradientScale: norm > Double(settings.gradientClip) ? settings.gradientClip / Float(norm) : 1
        )
        switch moments {
        case .floats(let first, let second):
            parameters.values.updateAdamW(
                step,
                gradient: gradients.flat,
                firstMoment: first,
                secondMoment: second,
                pool: pool
            )
        case .bytes(let moments):
            parameters.values.updateAdamW(step, gradient: gradients.flat, moments: moments, pool: pool)
        }
        for part in memory { part.letGo() }
        return norm
    }
}

// MARK: - Moments

extension AdamW {
    private enum Moments: Sendable {
        case floats(first: Tensor, second: Tensor)
        case bytes(ByteMoments)

        init(_ storage: Storage, count: Int, in memory: StateMemory) throws(FileWritingError) {
            switch storage {
            case .floats:
                self = .floats(first: try memory.zeros([count]), second: try memory.zeros([count]))
            case .bytes: self = .bytes(try ByteMoments(count: count, in: memory))
            }
        }
    }

    /// The first moment, `[parameter count]`; a view where it is kept in floats.
    package var firstMoment: Tensor {
        switch moments {
        case .floats(let first, _): first
        case .bytes(let moments): moments.decoded(.first)
        }
    }

    /// The second moment, `[parameter count]`; a view where it is kept in floats.
    package var secondMoment: Tensor {
        switch moments {
        case .floats(_, let second): second
        case .bytes(let moments): moments.decoded(.second)
        }
    }

    /// Goes on with another first moment, rounded as it is kept.
    package func resume(firstMoment: Tensor) {
        switch moments {
        case .floats(let first, _): first.copy(from: firstMoment)
        case .bytes(let moments): moments.encode(firstMoment, as: .first)
        }
    }

    /// Goes on with another second moment, rounded as it is kept.
    package func resume(secondMoment: Tensor) {
        switch moments {
        case .floats(_, let second): second.copy(from: secondMoment)
        case .bytes(let moments): moments.encode(secondMoment, as: .second)
        }
    }

    /// The memory of the moments, which updates write in place.
    package var memory: [Tensor] {
        switch moments {
        case .floats(let first, let second): [first, second]
        case .bytes(let moments): moments.memory
        }
    }
}
