import DiffusionModels
import Distillation

/// The keys that not every student uses.
enum StudentKeys {
    /// Of adapters, which a fake-velocity network has as well.
    private static let adapters: Set<String> = ["student.rank", "student.targets"]
    /// Of weights that stay frozen under the student, and of where it begins other than as its teacher.
    private static let frozen: Set<String> = ["student.precision", "student.initial_lora"]

    /// The keys that mean nothing to a student of a method.
    static func unused(by mode: Student.Mode, of method: Method) -> Set<String> {
        switch mode {
        case .lora: []
        case .full: method == .dmd ? frozen : frozen.union(adapters)
        }
    }
}
