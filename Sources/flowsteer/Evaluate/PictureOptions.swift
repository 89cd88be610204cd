import ArgumentParser
import ClusterRuntime
import Evaluation
import FlowMatching

/// How `flowsteer evaluate` draws the pictures of a benchmark.
struct PictureOptions: ParsableArguments {
    @Option(help: "geneval, hpsv2 or flat: draws pictures as the benchmark's tool reads them.")
    var layout: PictureLayout?

    @Option(help: "The folder for the pictures; their settings are written beside it.")
    var out: String?

    @Option(help: "Pictures of each prompt; default: 4 for geneval, else 1.")
    var samples: Int?

    @Option(help: "Of the pictures: rectified or stock.")
    var schedule = ScheduleKind.rectified

    @Option(help: "I/N: draws only every N-th prompt, from I = 0 on, so that N processes share the work.")
    var share = "0/1"

    func validate() throws {
        guard (layout == nil) == (out == nil) else {
            throw ValidationError("--layout and --out are given together: expected both or neither")
        }
        if let samples, samples < 1 {
            throw ValidationError("--samples is \(samples): expected 1 or more")
        }
        if layout == .hpsv2, let samples, samples != 1 {
            throw ValidationError("--samples is \(samples): HPSv2 reads 1 picture a prompt")
        }
        guard parsedShare != nil else {
            throw ValidationError("--share is \(share): expected I/N, with I from 0 to N - 1")
        }
    }

    var parsedShare: LaidOutPictures.Share? {
        let parts = share.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count == 2, let index = parts[0], let count = parts[1] else { return nil }
        return LaidOutPictures.Share(index: index, of: count)
    }
}

extension PictureLayout: ExpressibleByArgument {}
