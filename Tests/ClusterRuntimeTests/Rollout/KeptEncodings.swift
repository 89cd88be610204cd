import Distillation
import Foundation
import TestSupport

@testable import ClusterRuntime

/// Calls `body` with a run over a copy of the shipped teacher that keeps encodings on disk.
func withKeptEncodings(_ body: (RunConfiguration) throws -> Void) async throws {
    try await withRunFolder { folder in
        let model = "\(folder)/model"
        try FileManager.default.copyItem(atPath: Repository.teacher, toPath: model)
        var configuration = try tinyConfiguration(prompts: folder)
        configuration.modelPath = model
        configuration.trajectory.stepsPerSegment = 1
        configuration.trajectory.negativePrompt = "blurry"
        configuration.prompts.cachePath = "\(folder)/encodings"
        try body(configuration)
    }
}
