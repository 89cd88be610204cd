import Checkpoints
import Foundation
import Tensors
import Testing

struct CheckpointStoreTests {
    let folder: TemporaryFolder
    let store: CheckpointStore

    init() throws {
        folder = try TemporaryFolder()
        store = try CheckpointsTests.store(folder)
    }

    @Test func `a published checkpoint is listed, loaded and verified`() throws {
        let published = try #require(try publish([12], in: store).first)
        #expect(try store.rounds() == [12])
        #expect(published.folder == store.folder + "/round-000012")
        let names = ["constants.bin", "manifest.json", "manifest.sha256", "student.safetensors"]
        #expect(try FileManager.default.contentsOfDirectory(atPath: published.folder).sorted() == names)
        let loaded = try store.verify(round: 12)
        #expect(loaded.manifest == published.manifest)
        #expect(loaded.manifestHash == ContentDigest(of: loaded.manifestBytes))
        #expect(try loaded.tensors(in: "student.safetensors").tensor(named: "w").values[3] == 15)
        #expect(try loaded.bytes(of: "constants.bin").count == 1000)
        #expect(throws: CheckpointError.self) { try loaded.bytes(of: "../../secret") }
    }

    @Test func `an empty store has nothing to go on from`() throws {
        let latest = try store.latestVerified()
        #expect(latest.checkpoint == nil && latest.rejected.isEmpty)
        #expect(throws: CheckpointError.unknownRound(1, folder: store.folder)) { try store.verify(round: 1) }
    }

    @Test func `a store that is only read is not made`() throws {
        let typo = folder.path + "/typo"
        #expect(throws: CheckpointError.unreadable(path: typo, reason: "No such file or directory")) {
            try CheckpointStore(reading: typo)
        }
        #expect(try folder.entries == ["checkpoints"])
        try publish([1], in: store)
        #expect(try CheckpointStore(reading: store.folder).latestVerified().checkpoint?.round == 1)
    }

    @Test func `rounds are ordered by number, whatever their digits`() throws {
        try publish([2, 10, 1_000_000, 999_999], in: store)
        try folder.write([], to: "checkpoints/round-12/x")
        try folder.write([], to: "checkpoints/notes.txt")
        #expect(try store.rounds() == [2, 10, 999_999, 1_000_000])
        #expect(try store.latestVerified().checkpoint?.round == 1_000_000)
    }

    @Test func `a round is published once and stays as it was`() throws {
        let first = try #require(try publish([4], in: store).first)
        #expect(throws: CheckpointError.alreadyPublished(4, folder: store.folder)) {
            try publish([4], in: store)
        }
        #expect(try store.verify(round: 4).manifestHash == first.manifestHash)
        #expect(try folder.entries == ["checkpoints"])
    }

    @Test func `a checkpoint that cannot be written leaves nothing behind`() throws {
        #expect(throws: CheckpointError.badFileName("../escape")) {
            try store.publish(origin(round: 1), files: files(round: 1) + [("../escape", .bytes([1]))])
        }
        #expect(throws: CheckpointError.self) {
            try store.publish(origin(round: 1), files: files(round: 1) + files(round: 1))
        }
        #expect(throws: CheckpointError.self) {
            try store.publish(origin(round: 1), files: [("manifest.json", .bytes([1]))])
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: store.folder) == [])
        #expect(try folder.entries == ["checkpoints"])
    }

    /// What a crash, a full disk or a bad sector may do to the newest checkpoint.
    enum Damage: CaseIterable {
        case truncatedFile, missingFile, emptyFile, flippedByte, longerFile
        case missingManifest, truncatedManifest, flippedManifestByte, missingManifestHash, renamedFolder
    }

    @Test(arguments: Damage.allCases)
    func `a torn checkpoint is passed over for the one before it`(damage: Damage) throws {
        try publish([1, 2, 3], in: store)
        try inflict(damage, on: "checkpoints/round-000003")
        let latest = try store.latestVerified()
        #expect(latest.checkpoint?.round == 2)
        #expect(latest.rejected.map(\.round) == [damage == .renamedFolder ? 4 : 3])
    }

    @Test func `every flipped byte is found`() throws {
        try publish([1], in: store)
        for name in ["student.safetensors", "constants.bin", "manifest.json", "manifest.sha256"] {
            let path = "checkpoints/round-000001/\(name)"
            let whole = try folder.bytes(of: path)
            for place in stride(from: 0, to: whole.count, by: 61) {
                var bytes = whole
                bytes[place] ^= 0x10
                try folder.write(bytes, to: path)
                #expect(throws: CheckpointError.self, "\(name) byte \(place)") { try store.verify(round: 1) }
            }
            try folder.write(whole, to: path)
        }
        #expect(try store.verify(round: 1).round == 1)
    }

    @Test func `what a killed process left is not seen, and is swept`() throws {
        try publish([1], in: store)
        try folder.write([1, 2, 3], to: "checkpoints/tmp-DEAD/student.safetensors")
        try folder.write([1], to: "checkpoints/fetch-2-abc/student.safetensors")
        #expect(try store.rounds() == [1])
        #expect(try store.sweepAbandoned() == ["tmp-DEAD"])
        let left = try FileManager.default.contentsOfDirectory(atPath: store.folder).sorted()
        #expect(left == ["fetch-2-abc", "round-000001"])
    }

    @Test func `a process killed while it publishes leaves whole checkpoints only`() async throws {
        let path = store.folder
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            let store = try CheckpointStore(folder: path)
            let killer = Thread {
                while (try? store.rounds().count) ?? 0 < 5 {}
                kill(getpid(), SIGKILL)
            }
            killer.start()
            var round: UInt64 = 0
            while true {
                try publish([round], in: store)
                round += 1
            }
        }
        let rounds = try store.rounds()
        #expect(rounds.count >= 5)
        for round in rounds { #expect(try store.verify(round: round).round == round) }
        #expect(try store.sweepAbandoned().count <= 1)
        try publish([UInt64(rounds.count)], in: store)
    }

    private func inflict(_ damage: Damage, on round: String) throws {
        let file = "\(round)/student.safetensors"
        let manifest = "\(round)/manifest.json"
        switch damage {
        case .truncatedFile: try folder.write(try folder.bytes(of: file).dropLast(), to: file)
        case .emptyFile: try folder.write([], to: file)
        case .longerFile: try folder.write(try folder.bytes(of: file) + [0], to: file)
        case .flippedByte:
            var bytes = try folder.bytes(of: file)
            bytes[bytes.count - 1] ^= 1
            try folder.write(bytes, to: file)
        case .flippedManifestByte:
            let text = String(decoding: try folder.bytes(of: manifest), as: UTF8.self)
            try folder.write(Array(text.replacingOccurrences(of: "run-7", with: "run-8").utf8), to: manifest)
        case .truncatedManifest: try folder.write(try folder.bytes(of: manifest).prefix(100), to: manifest)
        case .missingFile: try FileManager.default.removeItem(atPath: "\(folder.path)/\(file)")
        case .missingManifest: try FileManager.default.removeItem(atPath: "\(folder.path)/\(manifest)")
        case .missingManifestHash:
            try FileManager.default.removeItem(atPath: "\(folder.path)/\(round)/manifest.sha256")
        case .renamedFolder:
            let other = folder.path + "/checkpoints/round-000004"
            try FileManager.default.moveItem(atPath: "\(folder.path)/\(round)", toPath: other)
            try FileManager.default.removeItem(atPath: "\(other)/constants.bin")
        }
    }
}
