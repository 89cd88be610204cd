import DiffusionModels
import Foundation
import Testing

struct CLIPTokenizerTests {
    private let tokenizer: CLIPTokenizer

    init() throws { tokenizer = try CLIPTokenizer(folder: TokenizerFolder.embedded) }

    /// Made by transformers for the embedded teacher, without the padding.
    static let referencePrompts: [(String, [Int])] = [
        ("a cookie", [882, 320, 827, 883]),
        ("a tulip", [882, 320, 793, 883]),
        ("a blue square", [882, 320, 764, 874, 883]),
        ("a red circle", [882, 320, 742, 866, 883]),
        ("four bees", [882, 756, 762, 883]),
        ("two carrots", [882, 875, 818, 883]),
        ("a cat and a pizza", [882, 320, 730, 728, 320, 805, 883]),
        ("an avocado and a bomb", [882, 569, 821, 728, 320, 736, 883]),
        ("a tulip above a watermelon", [882, 320, 793, 863, 320, 847, 883]),
        ("a cookie left of a strawberry", [882, 320, 827, 758, 708, 320, 857, 883]),
        ("a red heart and a green circle", [882, 320, 742, 871, 728, 320, 870, 866, 883]),
        ("a purple square and an orange book", [882, 320, 879, 874, 728, 569, 872, 864, 883]),
        ("", [882, 883]),
    ]

    @Test(arguments: referencePrompts)
    func `the teacher's prompts become the reference's tokens`(prompt: String, tokens: [Int]) {
        #expect(tokenizer.encode(prompt) == tokens)
        let padding = [Int](repeating: 883, count: 16 - tokens.count)
        #expect(tokenizer.encode(prompt, length: 16) == tokens + padding)
    }

    @Test(arguments: [
        ("Don't  WE'LL\t'tis ''s", [528, 333, 6, 339, 86, 324, 6, 75, 331, 6, 339, 72, 338, 6, 262, 338]),
        ("3.14 \u{BD} \u{FF12}", [274, 269, 272, 275, 126, 377, 171, 120, 496]),
        (
            "na\u{EF}ve cafe\u{301} \u{391}\u{3A3} \u{130}",
            [77, 64, 127, 107, 722, 515, 69, 127, 358, 138, 109, 139, 481, 328, 136, 485]
        ),
        (
            "\u{732B}\u{3068}cat \u{1F469}\u{200D}\u{1F467} a\u{3000}b",
            [
                163, 234, 104, 159, 223, 101, 730, 172, 253, 239, 102, 158, 222, 235, 172, 253, 239, 356, 320,
                321,
            ]
        ),
        (
            "hi!!! <|endoftext|>!! <|ENDOFTEXT|>!!",
            [
                71, 328, 0, 0, 256, 883, 0, 256, 27, 347, 68, 77, 528, 69, 83, 68, 87, 339, 91, 285, 0, 256,
            ]
        ),
    ])
    func `any text becomes the tokens of the reference implementation`(text: String, content: [Int]) {
        #expect(tokenizer.encode(text) == [882] + content + [883])
    }

    @Test
    func `case, white space and composition do not change the tokens`() {
        let plain = tokenizer.encode("a caf\u{E9} cat")
        #expect(tokenizer.encode(" \u{A0}A\r\n\u{2003} CAFE\u{301} \u{85}Cat\t") == plain)
        #expect(tokenizer.encode("a cafe cat") != plain)
    }

    @Test
    func `a long text loses its end but keeps the end token`() {
        let whole = tokenizer.encode("a cookie left of a strawberry")
        #expect(tokenizer.encode("a cookie left of a strawberry", length: 8) == whole)
        #expect(tokenizer.encode("a cookie left of a strawberry", length: 5) == [882, 320, 827, 758, 883])
        #expect(tokenizer.encode("a cookie left of a strawberry", length: 2) == [882, 883])
    }

    @Test
    func `the folder's numbers are there to be read`() {
        #expect(tokenizer.startToken == 882)
        #expect(tokenizer.endToken == 883)
        #expect(tokenizer.paddingToken == 883)
        #expect(tokenizer.maximumLength == 16)
        #expect(tokenizer.vocabularySize == 884)
    }

    @Test
    func `a padding token of its own and one read in any case work as in Stable Diffusion 3`() throws {
        let folder = try TokenizerFolder()
        try folder.write(
            "tokenizer_config.json",
            """
            {"bos_token": {"content": "<|startoftext|>", "normalized": true}, "eos_token": "<|endoftext|>",
             "unk_token": "<|endoftext|>", "pad_token": "!", "model_max_length": 1e30,
             "added_tokens_decoder": {
               "0": {"content": "!", "normalized": false, "special": true},
               "882": {"content": "<|startoftext|>", "normalized": true, "special": true},
               "883": {"content": "<|endoftext|>", "normalized": false, "special": true}}}
            """
        )
        let tokenizer = try CLIPTokenizer(folder: folder.path)
        let expected = [
            882, 71, 328, 0, 882, 27, 347, 68, 77, 528, 69, 83, 68, 87, 339, 91, 285, 0, 0, 883,
        ]
        #expect(tokenizer.encode("hi! <|STARTOFTEXT|> <|ENDOFTEXT|>!!") == expected)
        #expect(tokenizer.encode("hi! <|STARTOFTEXT|> <|ENDOFTEXT|>!!", length: 23) == expected + [0, 0, 0])
        #expect(tokenizer.maximumLength == nil)
    }

    @Test
    func `bytes that the vocabulary lacks become the unknown token`() throws {
        let folder = try TokenizerFolder()
        try folder.write("vocab.json", #"{"a": 0, "b</w>": 1, "ab</w>": 2, "<s>": 3, "</s>": 4, "<unk>": 5}"#)
        try folder.write("merges.txt", "#version: 0.2\r\na b</w>\r\n")
        try folder.write(
            "tokenizer_config.json",
            #"{"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "</s>"}"#
        )
        try folder.remove("special_tokens_map.json")
        let tokenizer = try CLIPTokenizer(folder: folder.path)
        #expect(tokenizer.encode("ab aab acb a") == [3, 2, 0, 2, 0, 5, 1, 5, 4])
    }
}

struct TokenizerFolderTests {
    @Test(arguments: ["vocab.json", "merges.txt", "tokenizer_config.json"])
    func `a missing file is named`(name: String) throws {
        let folder = try TokenizerFolder()
        try folder.remove(name)
        #expect { try CLIPTokenizer(folder: folder.path) } throws: { error in
            guard case .missingFile(let path, _) = error as? ModelError else { return false }
            return path == folder.path + "/" + name
        }
    }

    @Test(arguments: [
        ("merges.txt", "#version: 0.2\ne s</w>\na b c\n", "line 3: expected two tokens, got \"a b c\""),
        ("merges.txt", "e s</w>\nzz qq\n", "line 2: the vocabulary lacks zz, qq or what they make"),
        ("vocab.json", "{\"a\": \"one\"}", "a: "),
        ("vocab.json", "{\"a\": 1, ", "not valid JSON"),
        ("vocab.json", "{\"a\": -1, \"<|startoftext|>\": 2, \"<|endoftext|>\": 3}", "from 0 to 2^24"),
        ("vocab.json", "{\"a\": 1, \"<|endoftext|>\": 3}", "the special token <|startoftext|> is missing"),
        ("tokenizer_config.json", "[]", "Expected to decode"),
        ("tokenizer_config.json", "{\"added_tokens_decoder\": {\"x\": \"y\"}}", "an entry \"x\""),
    ])
    func `a bad file is named with what is wrong`(name: String, text: String, problem: String) throws {
        let folder = try TokenizerFolder()
        try folder.write(name, text)
        #expect { try CLIPTokenizer(folder: folder.path) } throws: { error in
            guard case .badFile(let path, let reason) = error as? ModelError else { return false }
            return path == folder.path + "/" + name && reason.contains(problem)
        }
    }

    @Test
    func `merge rules that are not text are refused by line`() throws {
        let folder = try TokenizerFolder()
        try folder.write("merges.txt", bytes: Array("#version: 0.2\n".utf8) + [0xFF, 0x20, 0xFE])
        #expect(throws: ModelError.badFile(path: folder.path + "/merges.txt", reason: "line 2: is not UTF-8"))
        {
            try CLIPTokenizer(folder: folder.path)
        }
    }

    @Test
    func `a role that no file fills is that of transformers' class`() throws {
        let folder = try TokenizerFolder()
        try folder.write("tokenizer_config.json", "{}")
        try folder.remove("special_tokens_map.json")
        let tokenizer = try CLIPTokenizer(folder: folder.path)
        #expect(tokenizer.startToken == 882)
        #expect(tokenizer.endToken == 883)
        #expect(tokenizer.paddingToken == 883)
        try folder.write("tokenizer_config.json", #"{"pad_token": "<pad>"}"#)
        #expect(throws: ModelError.self) { try CLIPTokenizer(folder: folder.path) }
    }
}

/// A copy of the embedded teacher's tokenizer that a test may spoil; it goes with the value.
private final class TokenizerFolder {
    static let embedded = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Cluster/teacher/emoji-scenes/tokenizer").path(percentEncoded: false)

    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "tokenizer-" + UUID().uuidString
        try FileManager.default.copyItem(atPath: Self.embedded, toPath: path)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ name: String, _ text: String) throws { try write(name, bytes: Array(text.utf8)) }

    func write(_ name: String, bytes: [UInt8]) throws {
        try Data(bytes).write(to: URL(filePath: path + "/" + name))
    }

    func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: path + "/" + name) }
}
