/// A file of the live page, which is part of the program.
struct PageFile: Sendable {
    let contentType: String
    let bytes: [UInt8]

    /// The files by their paths.
    static let all: [String: PageFile] = [
        "/": PageFile(contentType: "text/html; charset=utf-8", bytes: PackageResources.index_html),
        "/page.css": PageFile(contentType: "text/css; charset=utf-8", bytes: PackageResources.page_css),
        "/page.js": PageFile(contentType: "text/javascript; charset=utf-8", bytes: PackageResources.page_js),
        "/charts.js": PageFile(
            contentType: "text/javascript; charset=utf-8",
            bytes: PackageResources.charts_js
        ),
    ]
}
