import ArgumentParser
import ClusterRuntime
import Distillation
import Evaluation
import Foundation
import Tensors

/// `flowsteer pretrain`.
struct PretrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pretrain",
        abstract: "Trains a teacher, transformer and both CLIP text encoders together, by flow matching.",
        discussion: """
            It begins with the weights of a model folder (--continue) or with weights drawn anew for a folder's settings \
            and tokenizers (--from-scratch, which needs none there), and trains on emoji scenes (--scenes) or on a folder \
            of captioned pictures (--pictures: PNG and JPEG files with metadata.jsonl, as flowsteer encode reads them), \
            through the model's autoencoder where it has one, which stays as it is. Models with T5 are refused.

            DIR/model is the trained model as diffusers reads it, the running mean of the weights; DIR/samples.png is \
            drawn with it. The same command goes on from the last state in DIR/states. SIGTERM and SIGINT keep a state \
            before it ends, with 0 and 75. One process trains: a cluster's rounds average students, not teachers.

            \(examples(
                "flowsteer pretrain --continue Cluster/teacher/emoji-scenes --scenes --steps 4000 --out teachers/more",
                "flowsteer pretrain --from-scratch Cluster/teacher/emoji-scenes --scenes --steps 8000 --out teachers/new",
                "flowsteer pretrain --from-scratch models/small --pictures photos --steps 20000 --out teachers/mine"
            ))
            """
    )

    @Option(
        name: .customLong("continue"),
        help: ArgumentHelp("The model whose training is continued.", valueName: "model")
    )
    var continued: String?

    @Option(help: ArgumentHelp("The model whose settings and tokenizers are taken.", valueName: "model"))
    var fromScratch: String?

    @Flag(
        help: "Trains on emoji scenes of sprites.json, which lies beside the model or where --sprites says."
    )
    var scenes = false

    @Option(help: "The sprites.json that scenes are made of; sprites.png is beside it.")
    var sprites: String?

    @Option(
        help: """
            How often single_object, colors, counting, two_object, position and color_attr come among scenes: six shares \
            with commas between, which add up to 1. (default: 0.22,0.12,0.18,0.18,0.18,0.12)
            """
    )
    var tasks: SceneTaskShares?

    @Option(help: ArgumentHelp("Trains on a folder of captioned pictures.", valueName: "dir"))
    var pictures: String?

    @Option(help: "The member of metadata.jsonl that holds the caption.")
    var column = "text"

    @Flag(help: "Passes over pictures that cannot be read; without it the first ends the work.")
    var skipUnreadable = false

    @Option(help: ArgumentHelp("The training's folder; one in it is gone on with.", valueName: "dir"))
    var out: String

    @Option(help: "Updates in all.")
    var steps: Int

    @Option(help: "Pictures of an update.")
    var batch = 64

    @Option(help: "The highest learning rate; it falls to zero at the end as half a cosine.")
    var learningRate: Float = 1e-3

    @Option(help: "Updates over which the learning rate rises.")
    var warmup = 200

    @Option(help: "AdamW's weight decay.")
    var weightDecay: Float = 0.01

    @Option(help: "Largest norm of a gradient; longer ones are scaled down to it.")
    var clip: Float = 1

    @Option(help: "How much the running mean of the weights keeps of itself in an update.")
    var averageDecay: Float = 0.9995

    @Option(help: "Mean of a noise level's logit; above 0 is more noise.")
    var noiseMean: Float = 0.3

    @Option(help: "Standard deviation of a noise level's logit.")
    var noiseDeviation: Float = 1.1

    @Option(help: "Share of noise levels that are uniform instead.")
    var noiseUniform: Float = 0.25

    @Option(help: "Share of captions that are left empty, so that the model can be guided.")
    var captionDropout: Float = 0.1

    @Option(help: "Decides pictures, noise and weights drawn anew.")
    var seed: UInt64 = 0

    @Option(help: "Updates between two states, each with the model and a sheet.")
    var saveEvery = 500

    @Option(help: "Numbers of the written model: fp16 or fp32.")
    var type = ModelType.fp16

    @Option(help: "Threads that compute; default: one a core.")
    var lanes = ProcessInfo.processInfo.activeProcessorCount

    enum ModelType: String, ExpressibleByArgument, CaseIterable {
        case fp16, fp32
    }

    func validate() throws {
        guard (continued == nil) != (fromScratch == nil) else {
            throw ValidationError(
                "the start is missing or given twice: expected --continue or --from-scratch"
            )
        }
        guard scenes == (pictures == nil) else {
            throw ValidationError("pictures are missing or given twice: expected --scenes or --pictures")
        }
        guard sprites == nil || scenes else {
            throw ValidationError("--sprites is of --scenes, which is not given")
        }
        guard tasks == nil || scenes else {
            throw ValidationError("--tasks is of --scenes, which is not given")
        }
        for (option, count) in [
            ("--steps", steps), ("--batch", batch), ("--save-every", saveEvery), ("--lanes", lanes),
        ] where count < 1 {
            throw ValidationError("\(option) is \(count): expected 1 or more")
        }
        guard warmup >= 0 else { throw ValidationError("--warmup is \(warmup): expected 0 or more") }
        for (option, number) in [
            ("--learning-rate", learningRate), ("--clip", clip), ("--noise-deviation", noiseDeviation),
        ] where !(number.isFinite && number > 0) {
            throw ValidationError("\(option) is \(number): expected a number above 0")
        }
        guard weightDecay.isFinite, weightDecay >= 0 else {
            throw ValidationError("--weight-decay is \(weightDecay): expected a number, 0 or more")
        }
        guard noiseMean.isFinite else {
            throw ValidationError("--noise-mean is \(noiseMean): expected a number")
        }
        for (option, share) in [
            ("--noise-uniform", noiseUniform), ("--caption-dropout", captionDropout),
            ("--average-decay", averageDecay),
        ] where !(0...1).contains(share) {
            throw ValidationError("\(option) is \(share): expected 0 to 1")
        }
    }

    func run() async throws {
        let start = continued.map(Pretraining.Start.continuing) ?? .fromScratch(fromScratch ?? "")
        let source: Pretraining.Source
        if let pictures {
            source = .pictures(folder: pictures, column: column, skipsUnreadable: skipUnreadable)
        } else {
            let model = absolutePath(continued ?? fromScratch ?? "", in: ".")
            source = .scenes(
                spritesPath: sprites ?? RunConfiguration.spritesPath(besideModel: model),
                tasks: tasks ?? .standard
            )
        }
        try await Pretraining(
            start,
            on: source,
            settings: settings,
            in: PretrainingFolder(out),
            writing: type == .fp16 ? .float16 : .float32,
            stepsBetweenSaves: saveEvery,
            lanes: lanes
        ).run()
    }

    private var settings: PretrainingSettings {
        var settings = PretrainingSettings(steps: steps)
        settings.batchSize = batch
        settings.learningRate = learningRate
        settings.weightDecay = weightDecay
        settings.gradientClip = clip
        settings.warmupSteps = warmup
        settings.noiseLevels = NoiseLevels(
            mean: noiseMean,
            deviation: noiseDeviation,
            uniformShare: noiseUniform
        )
        settings.captionDropout = captionDropout
        settings.averageDecay = averageDecay
        settings.seed = seed
        return settings
    }
}

extension SceneTaskShares: ExpressibleByArgument {
    /// Shares with commas between.
    public init?(argument: String) {
        let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
        let shares = parts.compactMap { Float($0) }
        guard shares.count == parts.count else { return nil }
        self.init(shares)
    }
}
