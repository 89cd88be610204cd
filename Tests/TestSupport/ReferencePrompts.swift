import Foundation

/// The twelve prompts that the reference outputs were made for.
package enum ReferencePrompts {
    package static func all() throws -> [String] {
        let text = try String(contentsOfFile: Repository.fixture("reference_prompts.txt"), encoding: .utf8)
        return text.split(separator: "\n").map(String.init)
    }
}
