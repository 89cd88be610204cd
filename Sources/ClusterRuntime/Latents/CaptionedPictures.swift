import Foundation

/// A folder of captioned pictures as Hugging Face's datasets lays one out (`imagefolder`): `metadata.jsonl` names a
/// picture and its caption a line, `{"file_name": "0001.png", "text": "a red cube"}`.
package struct CaptionedPictures: Sendable {
    package struct Entry: Sendable, Equatable {
        /// The picture's path within the folder.
        package let fileName: String
        package let text: String
        /// The line of `metadata.jsonl`, counted from 1.
        package let line: Int
    }

    package static let metadataName = "metadata.jsonl"
    private static let lineExample = #"{"file_name": "0001.png", "text": "a red cube"}"#

    package let folder: String
    /// In the order of the file; at least one.
    package let entries: [Entry]

    /// Reads `metadata.jsonl`; no picture is looked at.
    ///
    /// - Parameter column: the member that holds the caption.
    package init(folder: String, column: String = "text") throws(LatentError) {
        let path = "\(folder)/\(Self.metadataName)"
        guard let data = FileManager.default.contents(atPath: path) else {
            throw .badFolder(
                path: path,
                reason: "there is no such file: expected \(Self.lineExample), a line a picture"
            )
        }
        do {
            entries = try JSONLines.texts(["file_name", column], of: Array(data)).map {
                texts,
                line
                    throws(BadLine) in
                let name = texts[0]
                guard !name.isEmpty, !name.hasPrefix("/"), !name.split(separator: "/").contains("..") else {
                    throw BadLine(line: line, reason: "file_name is '\(name)': expected a path in the folder")
                }
                return Entry(fileName: name, text: texts[1], line: line)
            }
        } catch {
            throw .badFolder(path: "\(path):\(error.line)", reason: error.reason)
        }
        guard !entries.isEmpty else { throw .badFolder(path: path, reason: "names no picture") }
        self.folder = folder
    }

    /// The bytes of an entry's picture; nil for one that is not there.
    func bytes(of entry: Entry) -> [UInt8]? {
        FileManager.default.contents(atPath: "\(folder)/\(entry.fileName)").map(Array.init)
    }
}

/// Why pictures cannot be made latents; every case is exit code 65.
package enum LatentError: Error, Equatable {
    /// The folder of pictures, or of latents, is none.
    case badFolder(path: String, reason: String)
    /// A picture cannot be read, and unreadable ones are not to be passed over.
    case badPicture(reason: String, line: Int)
    /// The folder holds latents of other pictures, of another size or of another autoencoder.
    case otherLatents(folder: String, field: String, there: String, asked: String)
}

extension LatentError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .badFolder(let path, let reason): "\(path): \(reason)"
        case .badPicture(let reason, let line):
            "\(reason) (line \(line) of \(CaptionedPictures.metadataName)); --skip-unreadable passes over it"
        case .otherLatents(let folder, let field, let there, let asked):
            "\(folder): holds latents with \(field) \(there), asked for \(asked): take another folder"
        }
    }
}
