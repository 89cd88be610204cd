import Testing

@testable import ClusterRuntime

/// Prompts out of lines, JSON lines and comma-separated values, and what a person is told of a bad line.
@Suite struct PromptFileTests {
    private let folder = TemporaryRun()

    private func settings(_ kind: PromptSettings.Kind, _ text: String, column: String = "text") throws
        -> PromptSettings
    {
        var settings = PromptSettings()
        settings.kind = kind
        settings.path = try folder.file("prompts", text)
        settings.column = column
        return settings
    }

    private func read(_ kind: PromptSettings.Kind, _ text: String, column: String = "text") throws -> [String]
    {
        try PromptFile.read(settings(kind, text, column: column))
    }

    /// What is said of a file, behind its path.
    private func refusal(
        _ kind: PromptSettings.Kind,
        _ text: String,
        column: String = "text"
    ) throws -> String {
        let settings = try settings(kind, text, column: column)
        do throws(CoordinatorError) {
            return "read \(try PromptFile.read(settings))"
        } catch {
            #expect(error.exitCode == 65)
            return error.description.replacing(settings.path ?? "", with: "")
        }
    }

    @Test func `lines end as any system ends them, and empty ones are passed over`() throws {
        #expect(
            try read(.file, "\u{FEFF}a cat\r\n\r\n  \na dog, \"quoted\"") == ["a cat", "a dog, \"quoted\""]
        )
        #expect(try refusal(.file, " \n\n") == ": no prompts: the file has none")
    }

    @Test func `a column of comma-separated values is found by its name`() throws {
        let text = """
            id,text,"the ""other"" one"\r
            1,a cat,x\r
            2,"a cat, and
            a ""red"" dog",y\r

            3,"",z

            """
        let whole = text.replacing("3,\"\",z", with: "3,  ä,z")
        #expect(try read(.csv, whole) == ["a cat", "a cat, and\na \"red\" dog", "  ä"])
        #expect(try read(.csv, whole, column: "the \"other\" one") == ["x", "y", "z"])
        #expect(try refusal(.csv, text) == ":6: expected a prompt, found an empty one")
        #expect(
            try refusal(.csv, text, column: "caption") == ":1: expected a column 'caption', "
                + "found id, text, the \"other\" one"
        )
    }

    @Test(arguments: [
        ("text,n\na,1\nb\n", ":3: expected 2 fields, as in the header, found 1"),
        ("text,n\n\"a\nb\",1\nc,2,3\n", ":4: expected 2 fields, as in the header, found 3"),
        ("text\n\"a\nb\n", ":2: expected a quote that closes the one that opens here"),
        (
            "text\n\"a\" b\n",
            ":2: expected a comma or the end of the line, found text behind a closing quote"
        ),
        (
            "text\na \"b\"\n",
            ":2: expected a comma or the end of the line, found a quote within a field that has none around it"
        ),
        ("text\na\rb\n", ":2: expected a line feed behind a carriage return"),
        ("text\n", ": no prompts: the file has none"), ("", ": no prompts: the file has none"),
    ])
    func `what is no such table is refused by its line`(_ example: (text: String, refusal: String)) throws {
        #expect(try refusal(.csv, example.text) == example.refusal)
    }

    @Test func `a member of JSON lines is found by its name`() throws {
        let text = "{\"text\": \"a \\\"cat\\\"\", \"n\": 1}\r\n\n{\"n\": 2, \"text\": \"\\u00e4\\n\"}\n"
        #expect(try read(.jsonl, text) == ["a \"cat\"", "ä\n"])
    }

    @Test(arguments: [
        ("{\"text\": \"a\"}\n[1]\n", ":2: expected a JSON object with a text under 'text'"),
        ("\n{\"text\": \"a\"\n", ":2: expected a JSON object with a text under 'text'"),
        ("{\"text\": 7}", ":1: expected a text under 'text', found no text there"),
        ("{\"b\": \"x\", \"a\": 1}", ":1: expected a text under 'text', found a, b"),
        ("{\"text\": \" \"}", ":1: expected a prompt, found an empty one"),
    ])
    func `what is no such object is refused by its line`(_ example: (text: String, refusal: String)) throws {
        #expect(try refusal(.jsonl, example.text) == example.refusal)
    }

    @Test func `a prompt longer than a lease carries is refused before a run begins`() throws {
        let longest = String(repeating: "x", count: PromptFile.longestPrompt)
        #expect(try read(.file, "a\n\(longest)") == ["a", longest])
        #expect(
            try refusal(.file, "a\n\(longest)x")
                == ":2: expected a prompt of at most 16384 bytes, found 16385"
        )
    }
}
