import Evaluation
import Foundation

extension RunReport {
    /// `report.html`: the same as one file that asks for nothing else, for people.
    ///
    /// - Parameter sheet: the PNG of the sample sheet; empty without one.
    package func page(sheet: [UInt8]) -> String {
        let title = "FlowSteer run \(HTMLText.escaped(origin.runID))"
        let sections = [
            ("What it reached", evaluationSection), ("Samples", sampleSection(sheet)),
            ("Losses", lossSection),
            ("Time", timeSection), ("Costs", costSection), ("Where it was made", originSection),
            ("How to make it again", reproduction), ("Configuration", configurationSection),
        ]
        return """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
            <link rel="icon" href="data:,">
            <title>\(title)</title>
            <style>\(Self.style)</style>
            </head>
            <body>
            <main>
            <h1>\(title)</h1>
            <p class="lead">\(rounds) rounds on \(trajectories) trajectories in \(ReportNumber.seconds(wallClock.total)) s.</p>
            \(sections.filter { !$0.1.isEmpty }.map(Self.section).joined())</main>
            </body>
            </html>

            """
    }

    private static func section(_ title: String, _ body: String) -> String {
        "<section>\n<h2>\(title)</h2>\n\(body)\n</section>\n"
    }

    private var evaluationSection: String {
        let rows = evaluation.map { row in
            (row.method, row.distanceToTeacher.mean, row.distanceToTeacher.low, row.distanceToTeacher.high)
        }
        let scenes =
            EvaluationTable(tasksOf: evaluation).map { "<h3>Scenes</h3>\n" + Self.wide($0.html) } ?? ""
        return """
            \(ReportChart.bars(rows, title: "Distance to the teacher by method"))
            <p>Distance to teacher: root mean square distance to the teacher's own guided 32-step endpoint from the same
            noise, with its 95 % interval; less is better. \(HTMLText.escaped(otherMeasures))</p>
            \(Self.wide(EvaluationTable(evaluation).html))\(scenes)
            """
    }

    private func sampleSection(_ sheet: [UInt8]) -> String {
        guard !sheet.isEmpty else { return "" }
        let data = Data(sheet).base64EncodedString()
        let names = HTMLText.escaped(evaluation.map(\.method).joined(separator: ", "))
        return """
            <p>A row a method, a column a prompt.</p>
            <img alt="Sample sheet, a row a method: the teacher, then \(names)" src="data:image/png;base64,\(data)">
            """
    }

    private var lossSection: String {
        let names = Set(losses.flatMap(\.losses.keys)).sorted()
        let charts = names.map { name in
            let points = losses.compactMap { round in round.losses[name].map { (round.round, $0) } }
            let chart = ReportChart.curve(points, title: "\(name) by round")
            return "<figure><figcaption>\(HTMLText.escaped(name))</figcaption>\(chart)</figure>"
        }
        guard !charts.isEmpty else { return "" }
        return
            "<p>Means over the steps of a round, by round.</p>\n<div class=\"charts\">\(charts.joined())</div>"
    }

    private var timeSection: String {
        let seconds = [
            ("rollouts computed", wallClock.rollout), ("trainers computed", wallClock.train),
            ("rounds were averaged and stored", wallClock.average), ("workers waited", wallClock.wait),
        ]
        let rows = processes.map { process in
            [
                process.name, process.role, ReportNumber.bytes(process.peakMemoryBytes),
                ReportNumber.seconds(process.seconds.compute), ReportNumber.seconds(process.seconds.wait),
                ReportNumber.seconds(process.seconds.wire),
            ]
        }
        return """
            \(Self.table(["seconds, summed over processes", ""], seconds.map { [$0.0, ReportNumber.seconds($0.1)] }))
            <p>\(HTMLText.escaped(overhead))</p>
            \(Self.table(["process", "role", "peak memory", "compute, s", "wait, s", "wire, s"], rows))
            """
    }

    private var costSection: String {
        Self.table(["what", "amount"], costs.lines.map { [$0.what, $0.amount] })
    }

    private var originSection: String { Self.table(["what", ""], origin.lines.map { [$0.what, $0.value] }) }

    private var reproduction: String {
        """
        <pre tabindex="0">\(HTMLText.escaped(origin.command))</pre>
        <p>\(HTMLText.escaped(Self.reproducibility))</p>
        """
    }

    private var configurationSection: String {
        "<pre tabindex=\"0\">\(HTMLText.escaped(configuration))</pre>"
    }

    private static func table(_ header: [String], _ rows: [[String]]) -> String {
        func line(_ cells: [String], _ tag: String) -> String {
            "<tr>" + cells.map { "<\(tag)>\(HTMLText.escaped($0))</\(tag)>" }.joined() + "</tr>\n"
        }
        return wide(
            "<table>\n<thead>\(line(header, "th"))</thead>\n<tbody>\(rows.map { line($0, "td") }.joined())</tbody>\n"
                + "</table>\n"
        )
    }

    /// Scrolls by itself where it is wider than a phone.
    private static func wide(_ table: String) -> String {
        "<div class=\"wide\" tabindex=\"0\">\(table)</div>\n"
    }

    private static let style = """

        :root { color-scheme: light dark; --ground: #f6f7f9; --card: #fff; --edge: #e2e6ec; --text: #1b2430;
          --soft: #5b6675; --blue: #2a63c9; }
        @media (prefers-color-scheme: dark) { :root { --ground: #10141a; --card: #181e26; --edge: #29313c;
          --text: #e6ebf2; --soft: #9fabba; --blue: #7fabff; } }
        @media print { section { break-inside: avoid; } }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--ground); color: var(--text); font: 15px/1.5 system-ui, sans-serif;
          font-variant-numeric: tabular-nums; }
        main { max-width: 1120px; margin: 0 auto; padding: 24px 16px 48px; }
        h1 { font-size: 24px; margin: 0; overflow-wrap: anywhere; } h2 { font-size: 17px; margin: 0 0 12px; }
        h3 { font-size: 15px; margin: 16px 0 8px; }
        p { color: var(--soft); max-width: 76ch; } .lead { margin: 4px 0 20px; }
        section { background: var(--card); border: 1px solid var(--edge); border-radius: 14px; padding: 18px 20px;
          margin-bottom: 16px; }
        .wide { overflow-x: auto; } .wide + .wide, p + .wide { margin-top: 12px; }
        table { border-collapse: collapse; font-size: 14px; }
        th, td { padding: 5px 14px 5px 0; text-align: right; border-bottom: 1px solid var(--edge);
          white-space: nowrap; }
        th { color: var(--soft); font-weight: 500; } th:first-child, td:first-child { text-align: left; }
        img { display: block; max-width: 100%; border-radius: 8px; }
        pre { margin: 0; padding: 12px; overflow-x: auto; background: var(--ground); border-radius: 8px;
          font: 13px/1.5 ui-monospace, monospace; }
        .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 300px), 1fr)); gap: 16px; }
        figure { margin: 0; } figcaption { font-size: 14px; margin-bottom: 4px; }
        svg { display: block; width: 100%; max-width: 560px; }
        svg text { font-size: 12px; fill: var(--soft); } svg path { fill: none; stroke: var(--blue); stroke-width: 2; }
        svg circle, svg rect { fill: var(--blue); } svg rect { rx: 3px; opacity: .75; }
        svg .grid { stroke: var(--edge); } svg .whisker { stroke: var(--text); stroke-width: 1.5; }

        """
}
