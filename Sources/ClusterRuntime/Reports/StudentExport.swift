import Checkpoints
package import DiffusionModels
package import Distillation
package import FlowMatching
import Foundation
import NeuralNetwork
package import Tensors

/// A student as a folder that other programs can use: adapters for diffusers and for ComfyUI, or a transformer; scheduler,
/// sigmas, and how to sample it.
package struct StudentExport: Sendable {
    /// The folder of a transformer, as diffusers calls it.
    static let transformerName = "transformer"

    private let model: ModelFolder
    private let student: Student
    private let schedule: SigmaSchedule
    private let sampling: StudentSampling

    package init(
        model: ModelFolder,
        student: Student,
        schedule: SigmaSchedule,
        sampling: StudentSampling
    ) {
        self.model = model
        self.student = student
        self.schedule = schedule
        self.sampling = sampling
    }

    /// Writes the folder; files that are there are replaced.
    ///
    /// - Parameter type: of a full student's numbers; nil: 32-bit floats.
    package func write(to folder: String, as type: ScalarType? = nil) throws {
        try LocalRunFolder.create(folder)
        switch student {
        case .adapters(let adapters):
            try student.writer(metadata: sampling.metadata).write(to: "\(folder)/\(AdapterFile.name)")
            try KohyaAdapterFile.writer(adapters, layerCount: model.configuration.layerCount)
                .write(to: "\(folder)/\(KohyaAdapterFile.name)")
        case .weights:
            try writeTransformer(to: folder, as: type)
        }
        let scheduler = "\(model.path)/scheduler/scheduler_config.json"
        try writeAtomically(try fileBytes(at: scheduler), to: "\(folder)/scheduler_config.json")
        try writeAtomically(
            try ReportCoding.encoded(Sigmas(schedule, shift: model.shift, sampling)),
            to: "\(folder)/sigmas.json"
        )
        try writeAtomically(Array(card.utf8), to: "\(folder)/README.md")
    }

    /// Writes the student as a transformer, `transformer/` in the folder.
    ///
    /// - Parameters:
    ///   - scale: of adapters; 1 is the student.
    ///   - type: of the numbers; nil: the teacher's where adapters are added to them, else 32-bit floats.
    package func writeTransformer(to folder: String, scale: Float = 1, as type: ScalarType? = nil) throws {
        let transformer = "\(folder)/\(Self.transformerName)"
        try LocalRunFolder.create(transformer)
        try MergedTransformer.write(
            student,
            scale: scale,
            as: type,
            of: model,
            metadata: sampling.metadata,
            to: transformer
        )
    }

    /// `sigmas.json`: what a sampler visits, the shift applied, and how many steps that is.
    private struct Sigmas: Encodable {
        let sigmas: [Double]
        let shift: Double
        let steps: Int
        let guidanceScale: Double
        /// nil for Euler's method.
        let sampling: String?

        init(_ schedule: SigmaSchedule, shift: Double, _ sampling: StudentSampling) {
            guidanceScale = Double(sampling.guidance)
            self.sampling = sampling.rule == .euler ? nil : sampling.rule.description
            sigmas = schedule.sigmas
            self.shift = shift
            steps = schedule.stepCount
        }
    }

    private var card: String {
        let steps = schedule.stepCount
        let sigmas = schedule.sigmas.map { String(format: "%.6g", $0) }.joined(separator: ", ")
        return """
            # A \(steps)-step student

            \(contents) for `\(modelName)`, distilled with FlowSteer
            (arXiv 2511.18834). The student needs \(steps) steps and \(guidance).

            Its sigmas are part of it: \(sigmas). Others, or another guidance scale, give blurred pictures.
            \(samplingNote)
            In diffusers, unchanged, with the model the student was made from:

            ```python
            import numpy as np
            \(loading)
            image = pipe(
                "a cat",
                num_inference_steps=\(steps),
            \(sigmasArgument)    guidance_scale=1.0,
            ).images[0]
            ```
            \(comfyNote)
            """
    }

    private var contents: String {
        switch student {
        case .adapters(let adapters):
            "Low-rank adapters of rank \(adapters.rank) (alpha = rank, PEFT names)"
        case .weights:
            "A transformer"
        }
    }

    /// The lines of Python that make `pipe`.
    private var loading: String {
        switch student {
        case .adapters:
            """
            from diffusers import StableDiffusion3Pipeline

            pipe = StableDiffusion3Pipeline.from_pretrained("\(modelName)")
            pipe.load_lora_weights(".", weight_name="\(AdapterFile.name)")
            """
        case .weights:
            """
            from diffusers import SD3Transformer2DModel, StableDiffusion3Pipeline

            transformer = SD3Transformer2DModel.from_pretrained("\(Self.transformerName)")
            pipe = StableDiffusion3Pipeline.from_pretrained("\(modelName)", transformer=transformer)
            """
        }
    }

    /// For adapters alone: what ComfyUI makes of a transformer nobody has tried.
    private var comfyNote: String {
        guard case .adapters = student else { return "" }
        return """

            In ComfyUI: `\(KohyaAdapterFile.name)` in a LoraLoaderModelOnly node, sampler `euler`, scheduler `simple`,
            \(schedule.stepCount) steps, cfg 1.

            """
    }

    private var guidance: String { sampling.guidance == 1 ? "no guidance" : "guidance \(sampling.guidance)" }

    /// What stock samplers do not do; nothing for Euler's method.
    private var samplingNote: String {
        guard case .jumps(let segments) = sampling.rule else { return "" }
        let goal = segments == 1 ? "to data" : "to the end of one of \(segments) segments"
        return """

            Every step jumps \(goal), and fresh noise brings the result back up to the next sigma: `flowsteer sample`
            does so, the samplers below only approximately.

            """
    }

    /// Stock sigmas are diffusers' own and need no argument.
    private var sigmasArgument: String {
        let steps = schedule.stepCount
        let isRectified = schedule == .rectified(stepCount: steps, shift: model.shift)
        return isRectified ? "    sigmas=np.linspace(1, 1/\(steps), \(steps)),\n" : ""
    }

    private var modelName: String { model.path.split(separator: "/").last.map(String.init) ?? model.path }
}
