import Checkpoints
import DiffusionModels
import Distillation
import Foundation
import ImageFiles
import NeuralNetwork
import Tensors
import TestSupport
import Testing

@testable import ClusterRuntime

@Suite struct ProgressSheetTests {
    private let prompts = ["a red apple", "two cats"]

    /// A sheet with a student whose maps back up are what `fill` makes them.
    private func sheet(_ fill: (Tensor, Int) -> Void = { _, _ in }) throws -> Picture {
        var configuration = RunConfiguration(modelPath: Repository.teacher)
        configuration.trajectory.segments = 2
        let painter = try #require(try ProgressSheet.Painter(configuration, prompts))
        let weights = try ModelFolder(path: Repository.teacher).weights
        let adapters = LowRankAdapters(rank: 1, modules: weights.linearModules, targets: ["attn.to_v"], id: 1)
        for (index, (_, tensor)) in adapters.parameters.tensors.enumerated() { fill(tensor, index) }
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try AdapterFile.writer(adapters).write(to: folder.appending(path: AdapterFile.name).path)
        return try painter.sheet(of: folder.path, round: 3)
    }

    @Test func `a student that has learned nothing draws what the teacher draws in as few steps`() throws {
        let fresh = try sheet()
        let trained = try sheet { tensor, index in
            tensor.copy(from: randomTensor(tensor.shape, seed: UInt64(index)))
        }
        #expect(fresh.width == trained.width && fresh.height == trained.height)
        // The rows stand one under another behind their labels, all of one height.
        let margin = ContactSheet.standardMargin
        let cell = 4 * 32 + margin
        func row(_ sheet: Picture, _ index: Int) -> [Color] {
            let top = sheet.height - (3 - index) * cell
            let left = sheet.width - prompts.count * cell
            return (top..<top + cell - margin).flatMap { y in
                (left..<sheet.width - margin).map { x in sheet[x, y] }
            }
        }
        // Thousands of colours would not help whoever reads of a failure.
        let isAsTheTeacher = row(fresh, 1) == row(fresh, 2)
        let isAsManySteps = row(fresh, 0) == row(fresh, 1)
        #expect(isAsTheTeacher && !isAsManySteps)
        let isUntrained = row(trained, 2) == row(fresh, 2)
        let hasSameTeacher = row(trained, 1) == row(fresh, 1)
        #expect(!isUntrained && hasSameTeacher)
    }
}
