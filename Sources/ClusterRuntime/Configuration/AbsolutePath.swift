import FoundationEssentials

/// `path` made absolute, without `.` and `..`; a relative one starts at `folder`.
package func absolutePath(_ path: String, in folder: String) -> String {
    if path.hasPrefix("/") { return standardized(path) }
    let base = folder.hasPrefix("/") ? folder : "\(FileManager.default.currentDirectoryPath)/\(folder)"
    return standardized("\(base)/\(path)")
}

/// The folder a path lies in.
func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
}

/// Resolves `.` and `..` by name alone: symbolic links are not followed.
private func standardized(_ path: String) -> String {
    var parts: [Substring] = []
    for part in path.split(separator: "/") where part != "." {
        if part == ".." {
            _ = parts.popLast()
        } else {
            parts.append(part)
        }
    }
    return "/" + parts.joined(separator: "/")
}
