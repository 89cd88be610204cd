import Checkpoints
import DiffusionModels
import Evaluation
import Foundation
import ImageFiles
import Tensors
import TestSupport
import Testing

@testable import ClusterRuntime

/// Captioned pictures made latents: what is in the shards, and what a second call does again.
@Suite struct LatentEncodingTests {
    private let folder = TemporaryRun()
    private var out: String { "\(folder.path)/out" }

    /// Five pictures of one colour each, every other one a JPEG, with captions.
    private func writePictures(size: (width: Int, height: Int) = (48, 40)) throws {
        var lines = ""
        for index in 0..<5 {
            let level = UInt8(40 * index)
            let color = Color(red: level, green: 255 - level, blue: 128)
            let picture = Picture(width: size.width, height: size.height, filledWith: color)
            let isJPEG = index % 2 == 1
            let bytes = isJPEG ? JPEGFile.encode(picture, quality: 100) : try PNGFile.encode(picture)
            let name = "\(index).\(isJPEG ? "jpg" : "png")"
            try Data(bytes).write(to: URL(filePath: "\(folder.path)/\(name)"))
            lines += "{\"file_name\": \"\(name)\", \"text\": \"picture \(index)\"}\n"
        }
        _ = try folder.file("metadata.jsonl", lines)
    }

    private func encode(
        _ model: String = Repository.teacher,
        size: Int? = nil,
        skips: Bool = false,
        progress: AsyncStream<LatentEncoding.Progress>.Continuation? = nil
    ) throws -> LatentFolder.Index {
        try LatentEncoding(
            CaptionedPictures(folder: folder.path),
            model: ModelOutline(path: model),
            height: size,
            width: size,
            shardSize: 2,
            skipsUnreadable: skips,
            into: out
        ).run(on: LanePool(count: 1), progress: progress)
    }

    private func bytes(_ name: String) throws -> Data {
        try Data(contentsOf: URL(filePath: "\(out)/\(name)"))
    }

    @Test func `a model of pixels gets pixels, in the order of the captions`() throws {
        try writePictures()
        let index = try encode()
        #expect(index.count == 5)
        #expect(index.shards.map(\.count) == [2, 2, 1])
        #expect(index.settings.latentShape == [3, 32, 32])
        let latents = try LatentFolder(path: out)
        #expect(latents.index == index)
        for position in 0..<5 {
            let sample = try latents.sample(position)
            #expect(sample.caption.text == "picture \(position)")
            let level = Float(40 * position)
            let expected = [level, 255 - level, 128].map { $0 / 127.5 - 1 }
            for channel in 0..<3 {
                for value in sample.latents.row(channel).values {
                    // A JPEG may be off by two levels.
                    #expect(abs(value - expected[channel]) < 2.1 / 127.5)
                }
            }
        }
    }

    @Test func `an autoencoder's latents are the means it gives of the scaled picture`() throws {
        try writePictures(size: (32, 32))
        let model = "\(folder.path)/model"
        try FileManager.default.createDirectory(atPath: model, withIntermediateDirectories: true)
        for (from, to) in [
            (Repository.fixture("models/sd3-medium/vae"), "vae"),
            (Repository.fixture("models/sd3-medium/transformer"), "transformer"),
        ] {
            try FileManager.default.copyItem(atPath: from, toPath: "\(model)/\(to)")
        }
        try Data(
            #"{"_class_name": "StableDiffusion3Pipeline", "vae": ["diffusers", "AutoencoderKL"]}"#.utf8
        ).write(to: URL(filePath: "\(model)/model_index.json"))
        _ = try encode(model, size: 32)
        let latents = try LatentFolder(path: out)
        let autoencoder = try Autoencoder(folder: "\(model)/vae")
        let picture = try PNGFile.read("\(folder.path)/4.png").modelSpace
        let expected = autoencoder.encode(picture.reshaped([1] + picture.shape), on: Tape())
        #expect(try latents.sample(4).latents.values == expected.row(0).values)
        #expect(latents.index.settings.autoencoder != nil)
    }

    @Test func `a second call keeps shards, and makes those whose pictures or captions changed anew`()
        async throws
    {
        try writePictures()
        let first = try encode()
        let untouched = try bytes("latents-00001.safetensors")
        try FileManager.default.removeItem(atPath: "\(out)/latents-00002.safetensors")
        let (steps, continuation) = AsyncStream.makeStream(of: LatentEncoding.Progress.self)
        #expect(try encode(progress: continuation) == first)
        continuation.finish()
        var last: LatentEncoding.Progress?
        for await step in steps { last = step }
        #expect(last?.kept == 4)
        #expect(last?.done == 5)

        let metadata = try String(contentsOfFile: "\(folder.path)/metadata.jsonl", encoding: .utf8)
        _ = try folder.file(
            "metadata.jsonl",
            metadata.replacing("picture 0", with: "another").split(separator: "\n").dropLast()
                .joined(separator: "\n")
        )
        let second = try encode()
        #expect(second.count == 4)
        #expect(try LatentFolder(path: out).sample(0).caption.text == "another")
        #expect(try bytes("latents-00001.safetensors") == untouched)
        #expect(!FileManager.default.fileExists(atPath: "\(out)/latents-00002.safetensors"))
        let other = try #require(throws: LatentError.self) { try encode(size: 16) }
        #expect(other.description.contains("holds latents with height 32, asked for 16"))
    }

    @Test func `a picture that cannot be read ends the work, or is passed over and counted`() throws {
        try writePictures()
        let jpeg = try Data(contentsOf: URL(filePath: "\(folder.path)/1.jpg"))
        try jpeg.prefix(jpeg.count / 2).write(to: URL(filePath: "\(folder.path)/1.jpg"))
        try FileManager.default.removeItem(atPath: "\(folder.path)/2.png")
        try Data("no picture".utf8).write(to: URL(filePath: "\(folder.path)/3.jpg"))
        let error = try #require(throws: LatentError.self) { try encode() }
        #expect(error.description.hasPrefix("\(folder.path)/1.jpg: not a readable picture: "))
        #expect(error.description.contains("line 2 of metadata.jsonl"))
        #expect(ProcessExit(of: error) == .badData)

        let index = try encode(skips: true)
        #expect(index.count == 2)
        #expect(index.shards.map(\.count) == [1, 0, 1])
        #expect(index.skipped.map(\.fileName) == ["1.jpg", "2.png", "3.jpg"])
        #expect(index.skipped[1].reason.contains("there is no such file"))
        #expect(index.skipped[2].reason.contains("neither PNG nor JPEG"))
        #expect(try LatentFolder(path: out).sample(1).caption.text == "picture 4")
        #expect(throws: LatentError.self) { try encode() }
    }

    @Test(arguments: [
        (
            #"{"file_name": "../a.png", "text": "x"}"#,
            "1: file_name is '../a.png': expected a path in the folder"
        ),
        (#"{"file_name": "a.png"}"#, "1: expected a text under 'text', found file_name"),
        ("", " names no picture"),
    ])
    func `metadata that name no picture of the folder are refused`(_ example: (line: String, reason: String))
        throws
    {
        _ = try folder.file("metadata.jsonl", example.line)
        let error = try #require(throws: LatentError.self) { try encode() }
        #expect(error.description == "\(folder.path)/metadata.jsonl:\(example.reason)")
    }
}
