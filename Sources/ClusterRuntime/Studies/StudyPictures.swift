import Evaluation
import ImageFiles

/// The pictures of a study: each row's strip, the sheet of all, and the plot.
enum StudyPictures {
    /// Pictures of one size side by side.
    static func strip(_ pictures: [Picture]) -> Picture? {
        guard let first = pictures.first else { return nil }
        var strip = Picture(width: first.width * pictures.count, height: first.height, filledWith: .white)
        for (column, picture) in pictures.enumerated() { strip.draw(picture, x: column * first.width, y: 0) }
        return strip
    }

    /// The pictures of a strip again; nil where it is none of `count`.
    static func pictures(of strip: Picture, count: Int) -> [Picture]? {
        guard count > 0, strip.width.isMultiple(of: count) else { return nil }
        let width = strip.width / count
        return (0..<count).map { column in
            var picture = Picture(width: width, height: strip.height, filledWith: .white)
            picture.draw(strip, x: -column * width, y: 0)
            return picture
        }
    }

    /// One line a row, one column a prompt: the same prompt and noise down a column.
    static func sheet(_ rows: [(label: String, pictures: [Picture])], prompts: [String]) -> Picture? {
        guard !rows.isEmpty else { return nil }
        return ContactSheet(
            rows: rows.map(\.pictures),
            rowLabels: rows.map(\.label),
            columnCaptions: prompts,
            scale: 3
        ).picture
    }

    /// A panel a measure of pictures; of studies without pictures, all there is.
    static func plot(_ table: StudyTable) -> Picture? {
        let measures = ["scene score", "distance to teacher", "Fréchet distance", "diversity"]
        let shown = measures.filter(table.metrics.contains)
        return StudyPlot(table, metrics: shown.isEmpty ? table.metrics : shown).picture
    }
}
