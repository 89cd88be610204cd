/// A text broken into lines that fit a width in pixels.
package struct Lettering: Equatable, Sendable {
    /// The lines from top to bottom.
    package let lines: [String]
    /// Pixels a font pixel is wide and high.
    package let scale: Int

    /// Breaks `text` at line feeds, at spaces where a line is full, and inside words wider than `width`.
    package init(_ text: String, width: Int = .max, scale: Int = 1) {
        precondition(scale >= 1, "letters are enlarged by 1 or more, not \(scale)")
        let limit = max(1, width / (PixelFont.characterPitch * scale))
        self.scale = scale
        lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            .flatMap { Self.wrapped($0, limit: limit) }
    }

    /// Pixels the longest line takes.
    package var width: Int {
        let longest = lines.map(\.count).max() ?? 0
        return max(0, longest * PixelFont.characterPitch - 1) * scale
    }

    /// Pixels all lines take; 0 for an empty text.
    package var height: Int {
        if lines.allSatisfy(\.isEmpty) { return 0 }
        return ((lines.count - 1) * PixelFont.linePitch + PixelFont.glyphHeight) * scale
    }

    private static func wrapped(_ paragraph: Substring, limit: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in paragraph.split(separator: " ") {
            if !line.isEmpty, line.count + 1 + word.count <= limit {
                line += " " + word
                continue
            }
            if !line.isEmpty { lines.append(line) }
            var rest = word
            while rest.count > limit {
                lines.append(String(rest.prefix(limit)))
                rest = rest.dropFirst(limit)
            }
            line = String(rest)
        }
        return lines + [line]
    }
}

extension Picture {
    /// Draws a text on this opaque picture, its top left at (x, y); what lies outside is cut off.
    package mutating func draw(_ text: Lettering, x: Int, y: Int, color: Color = .black) {
        for (row, line) in text.lines.enumerated() {
            let top = y + row * PixelFont.linePitch * text.scale
            for (column, character) in line.enumerated() {
                let left = x + column * PixelFont.characterPitch * text.scale
                for dot in PixelFont.ink(of: character) {
                    fill(
                        x: left + dot.x * text.scale,
                        y: top + dot.y * text.scale,
                        width: text.scale,
                        height: text.scale,
                        with: color
                    )
                }
            }
        }
    }
}
