import Evaluation
import Foundation
import Testing

struct LaidOutPromptsTests {
    private let cat = Sprite(name: "cat")
    private let pizza = Sprite(name: "pizza")
    private let heart = Sprite(name: "heart", color: "red")

    @Test func `scenes are described in GenEval's words`() {
        let expected: [(SceneCaption, String)] = [
            (
                .colors(heart),
                #"{"include":[{"class":"heart","color":"red","count":1}],"prompt":"a red heart","tag":"colors"}"#
            ),
            (
                .counting(cat, count: 3),
                #"{"exclude":[{"class":"cat","count":4}],"include":[{"class":"cat","count":3}],"#
                    + #""prompt":"three cats","tag":"counting"}"#
            ),
            (
                .position(cat, .leftOf, pizza),
                #"{"include":[{"class":"pizza","count":1},{"class":"cat","count":1,"position":["left of",0]}],"#
                    + #""prompt":"a cat left of a pizza","tag":"position"}"#
            ),
        ]
        for (caption, metadata) in expected { #expect(caption.genevalMetadata == metadata) }
    }

    @Test func `GenEval's lines are kept word for word`() throws {
        let line =
            #"{"tag": "single_object", "include": [{"class": "bench", "count": 1}], "prompt": "a photo of a bench"}"#
        try withFile("lines.jsonl", line + "\n" + line.replacingOccurrences(of: "bench", with: "cow") + "\n")
        { path in
            let prompts = try LaidOutPrompts.read(.geneval, path: path, samples: 2)
            #expect(prompts.map(\.text) == ["a photo of a bench", "a photo of a cow"])
            #expect(prompts[0].metadata == line)
            #expect(prompts[1].metadataPath == "00001/metadata.jsonl")
            #expect(prompts[1].pictures == ["00001/samples/00000.png", "00001/samples/00001.png"])
        }
    }

    @Test(arguments: PictureLayout.allCases)
    func `files without prompts are refused by name`(layout: PictureLayout) throws {
        for text in ["", "\n \n", "[]", "{}"] where layout != .flat || !text.contains(where: "[{".contains) {
            try withFile("photo.json", text) { path in
                #expect { try LaidOutPrompts.read(layout, path: path, samples: 1) } throws: { error in
                    "\(error)".contains(path)
                }
            }
        }
        #expect(throws: EvaluationError.self) {
            try LaidOutPrompts.read(layout, path: "/nowhere", samples: 1)
        }
    }

    private func withFile(_ name: String, _ text: String, _ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "prompts-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appending(path: name)
        try Data(text.utf8).write(to: file)
        try body(file.path())
    }
}
