import ArgumentParser
import ClusterRuntime
import DiffusionModels
import Foundation
import Tensors

/// `flowsteer verify-model`.
struct VerifyModelCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify-model",
        abstract: "Compares a component of a model with what another program made of the same inputs.",
        discussion: """
            Scripts/reference/make_reference.py writes references of any folder, with diffusers and transformers. For \
            every tensor the largest absolute and the relative error are printed; the exit code is 65 when a relative \
            error is beyond the tolerance.

            Examples:
              flowsteer verify-model models/sd3 --component vae --reference references/vae.safetensors
            """
    )

    @Argument(help: "The model, a folder as diffusers writes it.")
    var model: String

    @Option(help: "\(ModelComponent.allCases.map(\.rawValue).joined(separator: ", ")).")
    var component: ModelComponent

    @Option(help: "A safetensors file of inputs and expected outputs; JSON lines for tokenizers.")
    var reference: String

    @Option(help: "Largest relative error.")
    var tolerance = 1e-4

    @Option(help: "Threads that compute; default: one a core.")
    var lanes = ProcessInfo.processInfo.activeProcessorCount

    func validate() throws {
        guard tolerance.isFinite, tolerance >= 0 else {
            throw ValidationError("--tolerance is \(tolerance): expected a number, 0 or more")
        }
        guard lanes >= 1 else { throw ValidationError("--lanes is \(lanes): expected 1 or more") }
    }

    func run() async throws {
        let request = self
        switch component {
        case .tokenizer, .tokenizer2, .tokenizer3:
            try report(try await ComputeThread(name: "verify-model").run { try request.tokens() })
        case .transformer, .autoencoder, .textEncoder, .textEncoder2, .textEncoder3:
            try report(try await ComputeThread(name: "verify-model").run { try request.tensors() })
        }
    }

    private func report(_ comparisons: [TensorComparison]) throws {
        for comparison in comparisons { say(line(comparison)) }
        let worst = comparisons.max { $0.relativeError < $1.relativeError }
        let beyond = comparisons.count { !$0.isWithin(tolerance) }
        guard beyond == 0, let worst else {
            throw ModelError.badFile(
                path: component.folder(in: model),
                reason: "\(beyond) of \(comparisons.count) tensors are beyond the tolerance \(tolerance)"
            )
        }
        say("\(comparisons.count) tensors within \(tolerance); the worst is \(worst.name)")
    }

    private func report(_ comparison: TokenizerVerification) throws {
        guard let first = comparison.first else { return say("\(comparison.lineCount) lines, all equal") }
        say("line \(first.line): \(first.text)")
        say("expected  \(first.expected)")
        say("found     \(first.found)")
        throw ModelError.badFile(
            path: component.folder(in: model),
            reason: "\(comparison.differentCount) of \(comparison.lineCount) lines have other tokens"
        )
    }

    private func tokens() throws -> TokenizerVerification {
        try TokenizerVerification(component, folder: component.folder(in: model), reference: reference)
    }

    private func tensors() throws -> [TensorComparison] {
        let folder = component.folder(in: model)
        let file = try ReferenceFile(path: reference)
        let pool = LanePool(count: lanes)
        switch component {
        case .transformer:
            return try TransformerVerification.compare(folder: folder, with: file, pool: pool)
        case .autoencoder:
            return try AutoencoderVerification.compare(folder: folder, with: file, pool: pool)
        case .textEncoder, .textEncoder2, .textEncoder3:
            return try TextEncoderVerification.compare(
                component,
                folder: folder,
                with: file,
                tape: pool.lanes[0].tape
            )
        case .tokenizer, .tokenizer2, .tokenizer3:
            preconditionFailure("a tokenizer has no tensors")
        }
    }

    private func line(_ comparison: TensorComparison) -> String {
        let verdict = comparison.isWithin(tolerance) ? "" : "  beyond"
        return comparison.name
            + String(
                format: "  absolute %.3g  relative %.3g",
                comparison.absoluteError,
                comparison.relativeError
            ) + verdict
    }
}

extension ModelComponent: ExpressibleByArgument {}
