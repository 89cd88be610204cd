import Foundation

/// Evaluation rows laid out for people.
package struct EvaluationTable: Sendable {
    private let table: TextTable

    /// A column: what it is called, and what a row has there.
    private struct Column {
        let name: String
        let cell: (EvaluationRow) -> String?
    }

    /// What rows cost and how far they are from the teacher; with the columns that any row has something in.
    package init(_ rows: [EvaluationRow]) {
        self.init(
            rows,
            columns: [
                Column(name: "method", cell: \.method),
                Column(name: "evaluations") { "\($0.functionEvaluations)" },
                Column(name: "distance to teacher") { Self.number($0.distanceToTeacher.mean) },
                Column(name: "95 % interval") {
                    "\(Self.number($0.distanceToTeacher.low)) … \(Self.number($0.distanceToTeacher.high))"
                },
                Column(name: "scene score") { $0.sceneScore.map(Self.score) },
                Column(name: "Fréchet distance") { $0.frechetDistance.map(Self.number) },
                Column(name: "diversity") { $0.diversity.map { Self.number($0.mean) } },
            ]
        )
    }

    /// The scene score of each task; nil where no row has one.
    package init?(tasksOf rows: [EvaluationRow]) {
        let scored = rows.filter { $0.sceneScore != nil }
        guard !scored.isEmpty else { return nil }
        let tasks = SceneTask.allCases.map { task in
            Column(name: task.rawValue) { row in
                row.sceneScore?.tasks.first { $0.task == task }.map { "\($0.correct)/\($0.total)" }
            }
        }
        self.init(
            scored,
            columns: [Column(name: "method", cell: \.method)] + tasks
                + [Column(name: "overall") { $0.sceneScore.map(Self.score) }]
        )
    }

    private init(_ rows: [EvaluationRow], columns: [Column]) {
        let used = columns.filter { column in rows.isEmpty || rows.contains { column.cell($0) != nil } }
        table = TextTable(
            header: used.map(\.name),
            rows: rows.map { row in used.map { $0.cell(row) ?? "" } }
        )
    }

    /// Columns aligned with spaces, for a terminal; lines end in a newline.
    package var plainText: String { table.plainText }

    /// A table in Markdown; lines end in a newline.
    package var markdown: String { table.markdown }

    /// A table in HTML.
    package var html: String { table.html }

    private static func number(_ value: Double) -> String { String(format: "%.4f", value) }

    private static func score(_ score: SceneScore) -> String {
        String(format: "%.3f ± %.3f", score.overall, score.margin)
    }
}
