import Checkpoints
import Evaluation
import Foundation
import ImageFiles

/// A study on disk: its settings, a file a finished cell, the runs of students, the table and its pictures.
package struct StudyFolder: Sendable {
    /// What decides a study's cells, but for the seeds, of which more may follow.
    struct Settings: Codable, Equatable {
        let study: Study.Name
        /// SHA-256 of the teacher's folder.
        let model: String
        let rows: [Study.Row]
        /// The resolved base configuration, as YAML, with the first seed.
        let configuration: String
    }

    package let path: String

    package init(_ path: String) { self.path = absolutePath(path, in: ".") }

    package var markdown: String { "\(path)/table.md" }
    package var json: String { "\(path)/table.json" }
    package var plot: String { "\(path)/plot.png" }
    package var samples: String { "\(path)/samples.png" }
    private var settings: String { "\(path)/study.json" }

    /// Makes the folder a study's, or makes sure that it is.
    func claim(for settings: Settings) throws {
        try LocalRunFolder.create("\(path)/cells")
        guard let data = FileManager.default.contents(atPath: self.settings) else {
            return try writeAtomically(try ReportCoding.encoded(settings), to: self.settings)
        }
        guard try decode(Settings.self, data, at: self.settings) == settings else {
            throw StudyError.otherStudy(settings: self.settings)
        }
    }

    /// The finished cell of a row and a seed; nil while there is none.
    func cell(row: String, seed: UInt64) throws -> StudyCell? {
        let file = file(row: row, seed: seed)
        guard let data = FileManager.default.contents(atPath: file) else { return nil }
        let cell = try decode(StudyCell.self, data, at: file)
        guard cell.row == row, cell.seed == seed else { throw StudyError.unreadable(path: file) }
        return cell
    }

    func write(_ cell: StudyCell) throws {
        try writeAtomically(try ReportCoding.encoded(cell), to: file(row: cell.row, seed: cell.seed))
    }

    /// Pictures of a cell side by side; nil where there are none.
    func strip(row: String, seed: UInt64) throws -> Picture? {
        let file = file(row: row, seed: seed, "png")
        return FileManager.default.fileExists(atPath: file) ? try PNGFile.read(file) : nil
    }

    func write(strip: Picture, row: String, seed: UInt64) throws {
        try writeAtomically(try PNGFile.encode(strip), to: file(row: row, seed: seed, "png"))
    }

    /// Where a student is trained.
    func run(_ name: String, seed: UInt64) -> LocalRunFolder {
        LocalRunFolder("\(path)/runs/\(self.name(row: name, seed: seed))")
    }

    /// Writes the table as Markdown, under `head`, and as JSON, with what pictures there are.
    func write(_ table: StudyTable, head: String, sheet: Picture?) throws {
        try writeAtomically(try ReportCoding.encoded(table), to: json)
        var text = head + "\n" + table.markdown
        for (title, picture, file) in [
            ("Plot", StudyPictures.plot(table), plot), ("Samples", sheet, samples),
        ] {
            guard let picture else { continue }
            try writeAtomically(try PNGFile.encode(picture), to: file)
            text += "\n![\(title)](\(file.split(separator: "/").last ?? ""))\n"
        }
        try writeAtomically(Array(text.utf8), to: markdown)
    }

    private func file(row: String, seed: UInt64, _ ending: String = "json") -> String {
        "\(path)/cells/\(name(row: row, seed: seed)).\(ending)"
    }

    /// Letters and digits of the row's label: no two rows of a study share them.
    private func name(row: String, seed: UInt64) -> String {
        let words = row.split { !($0.isASCII && ($0.isLetter || $0.isNumber)) }
        return "\(words.joined(separator: "-"))-seed-\(seed)"
    }

    private func decode<Value: Decodable>(_ type: Value.Type, _ data: Data, at file: String) throws -> Value {
        guard let value = try? ReportCoding.decoder.decode(type, from: data) else {
            throw StudyError.unreadable(path: file)
        }
        return value
    }
}
