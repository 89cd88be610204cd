import DiffusionModels
import Distillation
import NeuralNetwork
import Tensors

/// One run of numbers of what rounds commit; the raw value is its name on the wire and in checkpoints.
package enum StateSegment: String, Sendable, CaseIterable {
    case student
    case discriminator
    /// Updates made, of the student and of the discriminator: what learning rates and the adversarial start go by.
    ///
    /// Exact up to 2^24 updates.
    case updateCounts = "update_counts"
    case studentFirstMoment = "student_first_moment"
    case studentSecondMoment = "student_second_moment"
    case discriminatorFirstMoment = "discriminator_first_moment"
    case discriminatorSecondMoment = "discriminator_second_moment"
    /// Updates that the moments have seen, the student's and the discriminator's.
    case momentAges = "moment_ages"
    /// The running mean of the student's parameters over updates, where one is kept.
    case studentAverage = "student_average"

    /// Whether it is averaged with the moments.
    var isOfMoments: Bool {
        switch self {
        case .student, .discriminator, .updateCounts, .studentAverage: false
        case .studentFirstMoment, .studentSecondMoment: true
        case .discriminatorFirstMoment, .discriminatorSecondMoment, .momentAges: true
        }
    }

    /// Whether it is the critic's: a discriminator's, or a fake-velocity network's.
    var isOfCritic: Bool {
        self == .discriminator || self == .discriminatorFirstMoment || self == .discriminatorSecondMoment
    }

    /// Whether it is made of networks' parameters, of which offers that go too far are left out.
    ///
    /// Second moments go with the square of gradients: a steep one would make an outlier of an honest trainer.
    var isOfParameters: Bool { self == .student || self == .discriminator }

    /// Whether a negative number of it is none.
    var isNeverNegative: Bool {
        switch self {
        case .student, .discriminator, .studentFirstMoment, .discriminatorFirstMoment: false
        case .studentAverage: false
        case .updateCounts, .studentSecondMoment, .discriminatorSecondMoment, .momentAges: true
        }
    }

    /// Its numbers in a run of these networks that has not begun.
    func initialValues(of networks: TrainableNetworks) -> Tensor {
        let (student, discriminator) = (networks.student.parameters, networks.critic.parameters)
        return switch self {
        case .student, .studentAverage: student.values.copied()
        case .discriminator: discriminator.values.copied()
        case .studentFirstMoment, .studentSecondMoment: .zeros([student.layout.count])
        case .discriminatorFirstMoment, .discriminatorSecondMoment: .zeros([discriminator.layout.count])
        case .updateCounts, .momentAges: .zeros([2])
        }
    }
}

extension DistillationTrainer {
    /// The present numbers of a segment; parameters, and moments kept in floats, share memory with the trainer's.
    func values(of segment: StateSegment) -> Tensor {
        switch segment {
        case .student: networks.student.parameters.values
        case .discriminator: networks.critic.parameters.values
        case .updateCounts: counts(\.stepCount)
        case .studentFirstMoment: studentOptimizer.firstMoment
        case .studentSecondMoment: studentOptimizer.secondMoment
        case .discriminatorFirstMoment: discriminatorOptimizer.firstMoment
        case .discriminatorSecondMoment: discriminatorOptimizer.secondMoment
        case .momentAges: counts(\.momentAge)
        case .studentAverage: studentAverage ?? networks.student.parameters.values
        }
    }

    /// Takes over the numbers of a segment; counts, of which a mean may have fractions, are rounded.
    mutating func load(_ values: Tensor, as segment: StateSegment) {
        switch segment {
        case .updateCounts:
            let counts = values.values.map { Int($0.rounded()) }
            studentOptimizer.resume(stepCount: counts[0])
            discriminatorOptimizer.resume(stepCount: counts[1])
        case .momentAges:
            let ages = values.values.map { Int($0.rounded()) }
            studentOptimizer.resume(momentAge: ages[0])
            discriminatorOptimizer.resume(momentAge: ages[1])
        case .studentFirstMoment: studentOptimizer.resume(firstMoment: values)
        case .studentSecondMoment: studentOptimizer.resume(secondMoment: values)
        case .discriminatorFirstMoment: discriminatorOptimizer.resume(firstMoment: values)
        case .discriminatorSecondMoment: discriminatorOptimizer.resume(secondMoment: values)
        case .student, .discriminator: self.values(of: segment).copy(from: values)
        case .studentAverage: studentAverage?.copy(from: values)
        }
    }

    private func counts(_ count: KeyPath<AdamW, Int>) -> Tensor {
        Tensor(
            [Float(studentOptimizer[keyPath: count]), Float(discriminatorOptimizer[keyPath: count])],
            shape: [2]
        )
    }
}
