import Checkpoints
import Foundation
import Tensors

/// Opens a file of these bytes and reads everything in it.
///
/// A header that is let in is JSON to another parser as well, and tensors written again come back as they were.
func checkSafetensors(_ input: [UInt8]) throws(FuzzFinding) {
    let path = scratchPath("input")
    write(input, to: path)
    defer { remove(path) }
    guard let file = try? SafetensorsFile(path: path) else { return }
    let headerByteCount = input.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    let header = Data(input[8..<8 + headerByteCount])
    guard let object = try? JSONSerialization.jsonObject(with: header) as? [String: Any] else {
        throw FuzzFinding("a header is let in that is not JSON: \(String(decoding: header, as: UTF8.self))")
    }
    let names = Set(object.keys).subtracting(["__metadata__"])
    guard names == Set(file.names) else {
        throw FuzzFinding("the header names \(names.sorted()), the file \(file.names)")
    }
    do {
        let tensors = try readAll(file)
        let copy = scratchPath("copy")
        write(SafetensorsWriter(tensors, metadata: file.metadata).bytes, to: copy)
        defer { remove(copy) }
        let again = try SafetensorsFile(path: copy)
        guard again.metadata == file.metadata, again.names == tensors.keys.sorted() else {
            throw FuzzFinding("names or metadata change when written again")
        }
        for (name, tensor) in tensors {
            let read = try again.tensor(named: name, shape: tensor.shape)
            guard read.encoded() == tensor.encoded() else {
                throw FuzzFinding("tensor '\(name)' changes when written again")
            }
        }
    } catch let finding as FuzzFinding {
        throw finding
    } catch {
        throw FuzzFinding("a file that is let in cannot be read: \(error)")
    }
}

/// Reads every number; returns the tensors that can be written.
private func readAll(_ file: SafetensorsFile) throws -> [String: Tensor] {
    var tensors: [String: Tensor] = [:]
    for name in file.names {
        let count = try file.shape(of: name).reduce(1, *)
        if try file.holdsIntegers(name) {
            let integers = try file.integers(named: name)
            guard integers.count == count else {
                throw FuzzFinding("\(integers.count) integers of '\(name)', not \(count)")
            }
        } else if try file.scalarType(of: name) != nil {
            tensors[name] = try file.tensor(named: name)
        }
    }
    return tensors
}

/// A file of this process's own, made anew for every input.
private func scratchPath(_ name: String) -> String {
    "\(FileManager.default.temporaryDirectory.path)/fuzz-\(getpid())-\(name).safetensors"
}

private func write(_ bytes: [UInt8], to path: String) {
    do {
        try DurableFile(updating: path, byteCount: bytes.count).write(bytes, at: 0)
    } catch {
        fatalError("\(error.path): \(error.reason)")
    }
}

private func remove(_ path: String) { try? FileManager.default.removeItem(atPath: path) }
