import Checkpoints

/// Reads a manifest of these bytes; its chunks must cover its files, and written again it must be the same.
func checkManifest(_ input: [UInt8]) throws(FuzzFinding) {
    guard let manifest = try? CheckpointManifest(decoding: input, path: "input") else { return }
    for file in manifest.files {
        var end = 0
        for index in file.chunkChecksums.indices {
            let range = file.range(ofChunk: index)
            guard range.lowerBound == end, !range.isEmpty else {
                throw FuzzFinding("chunk \(index) of '\(file.name)' is \(range), after \(end) bytes")
            }
            end = range.upperBound
        }
        guard end == file.byteCount else {
            throw FuzzFinding("the chunks of '\(file.name)' are \(end) bytes of \(file.byteCount)")
        }
    }
    do {
        let again = try CheckpointManifest(decoding: manifest.encoded(), path: "again")
        guard again == manifest else { throw FuzzFinding("a manifest changes when written again") }
    } catch let finding as FuzzFinding {
        throw finding
    } catch {
        throw FuzzFinding("a manifest that is let in cannot be read again: \(error)")
    }
}
