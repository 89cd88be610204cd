import ArgumentParser
import Checkpoints
import ClusterRuntime
import DiffusionModels
import Distillation
import Evaluation
import FlowMatching
import Foundation
import ImageFiles
import Tensors

/// `flowsteer sample`.
struct SampleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sample",
        abstract: "Draws pictures with a model or a student: PNG files and a contact sheet.",
        discussion: examples(
            "flowsteer sample --model models/sd3 --student runs/first/student --prompt 'a cat' --out pictures"
        )
    )

    @Option(help: "The model, a folder as diffusers writes it.")
    var model: String

    @Option(help: "A student: a file, a checkpoint's folder or an exported one.")
    var student: String?

    @Option(name: .customLong("prompt"), parsing: .upToNextOption, help: "Prompts, one picture each.")
    var texts: [String] = []

    @Option(name: .customLong("prompts"), help: "A file with one prompt a line.")
    var promptsPath: String?

    @Option(help: "Solver steps.")
    var steps = 4

    @Option(help: "rectified or stock.")
    var schedule = ScheduleKind.rectified

    @Option(help: "Guidance scale; 1 is none, and half the work; default: the student's own, or 1.")
    var guidance: Float?

    @Option(help: "The unconditional prompt of guidance.")
    var negativePrompt = ""

    @Option(help: "fp32, or bf16: the model's weights rounded, two bytes each in memory.")
    var precision = Precision.float32

    @Option(help: "Decides the noise.")
    var seed: UInt64 = 0

    @Option(help: "Height of the pictures in pixels; default: what the model was trained on.")
    var height: Int?

    @Option(help: "Their width in pixels; default: what the model was trained on.")
    var width: Int?

    @Option(help: "Decodes in tiles of so many latent pixels a side: less memory, slightly other pictures.")
    var tile: Int?

    @Option(help: "The folder for the pictures.")
    var out: String

    @Option(help: "Starts from this file's tensor 'noise' [n, C, H, W], one for each prompt in order.")
    var initialNoise: String?

    @Option(
        help: """
            Writes the end latents there, a tensor 'latents' [n, C, H, W], with what they were made from: 'noise', \
            'prompt_embeds', 'pooled_prompt_embeds'.
            """
    )
    var saveLatents: String?

    @Option(help: "Threads that compute; default: one a core.")
    var lanes = ProcessInfo.processInfo.activeProcessorCount

    func validate() throws {
        guard texts.isEmpty != (promptsPath == nil) else {
            throw ValidationError("prompts are missing or given twice: expected --prompt or --prompts")
        }
        guard (1...10_000).contains(steps) else {
            throw ValidationError("--steps is \(steps): expected 1 to 10000")
        }
        if let guidance, !guidance.isFinite || guidance < 0 {
            throw ValidationError("--guidance is \(guidance): expected a number, 0 or more")
        }
        if let tile, tile < 8 || tile % 4 != 0 {
            throw ValidationError("--tile is \(tile): expected a multiple of 4, 8 or more")
        }
        guard lanes >= 1 else { throw ValidationError("--lanes is \(lanes): expected 1 or more") }
    }

    func run() async throws {
        let prompts = try promptsPath.map { try HeldOutPrompts.lines(of: $0) } ?? texts
        let request = self
        let pictures = try await ComputeThread(name: "sample").run { try request.draw(prompts) }
        try LocalRunFolder.create(out)
        for (index, picture) in pictures.enumerated() {
            try PNGFile.write(picture, to: "\(out)/\(String(format: "%05d", index)).png")
        }
        let sheet = "\(out)/sheet.png"
        try PNGFile.write(Self.sheet(pictures, captions: prompts), to: sheet)
        let count = pictures.count == 1 ? "1 picture" : "\(pictures.count) pictures"
        say("\(count) in \(out), together on \(sheet)")
    }

    /// Solves for every prompt, saves the latents if asked, and turns them into pictures.
    private func draw(_ prompts: [String]) throws -> [Picture] {
        let sampler = try ModelSampler(modelPath: model, lanes: lanes, precision: precision)
        let decoder = try sampler.makePictureDecoder()
        let side = sampler.model.configuration.sampleSize * decoder.pixelsPerLatent
        let extent = try sampler.model.latentExtent(
            height: height ?? side,
            width: width ?? side,
            pixelsPerLatent: decoder.pixelsPerLatent
        )
        let shape = sampler.model.latentShape(count: prompts.count, extent)
        let given = try initialNoise.map {
            try SafetensorsFile(path: $0).tensor(named: "noise", shape: shape)
        }
        let network = try student.map { path in
            try sampler.model.makeTransformer(
                student: StudentFile.read(path, for: sampler.model),
                precision: precision
            )
        }
        var sampling = try student.map { try StudentFile.sampling($0) } ?? StudentSampling()
        if let guidance { sampling.guidance = guidance }
        let few = FewStepSampler(
            student: network ?? sampler.teacher,
            sampling,
            kind: schedule,
            steps: steps,
            shift: sampler.model.shift
        )
        let noise = given ?? sampler.noise(count: prompts.count, extent: extent, seed: seed)
        let text = try sampler.encode(prompts)
        let latents = sampler.solve(
            few,
            from: noise,
            conditional: text,
            unconditional: try sampler.encode([negativePrompt])
        )
        if let saveLatents {
            try SafetensorsWriter([
                "latents": latents, "noise": noise, "prompt_embeds": text.context,
                "pooled_prompt_embeds": text.pooled,
            ]).write(to: saveLatents)
        }
        let start = ContinuousClock.now
        let pictures = decoder.pictures(latents, tile: tile)
        say(
            String(
                format: "latents decoded in %.1f s, peak memory %.0f MiB",
                start.duration(to: .now) / .seconds(1),
                Double(peakMemoryByteCount()) / 1_048_576
            )
        )
        return pictures
    }

    /// All pictures, eight a row, their prompts above the rows' pictures.
    private static func sheet(_ pictures: [Picture], captions: [String]) -> Picture {
        let columns = min(8, pictures.count)
        let rows = stride(from: 0, to: pictures.count, by: columns).map {
            Array(pictures[$0..<min($0 + columns, pictures.count)])
        }
        // Small pictures are enlarged so that people see something.
        let scale = max(1, 128 / max(1, pictures.map(\.width).max() ?? 1))
        // Captions stand above columns, so they fit only a sheet of one row.
        return ContactSheet(rows: rows, columnCaptions: rows.count == 1 ? captions : [], scale: scale).picture
    }
}

extension ScheduleKind: ExpressibleByArgument {}
