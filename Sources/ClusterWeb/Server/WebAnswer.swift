import HTTPTypes
import Hummingbird

/// An answer before it is sent.
struct WebAnswer: Sendable {
    let status: HTTPResponse.Status
    var headers: HTTPFields
    let body: ResponseBody
    /// Whether the client has to connect anew.
    var closesConnection = false

    init(_ status: HTTPResponse.Status, _ contentType: String, _ body: ResponseBody = ResponseBody()) {
        self.status = status
        self.body = body
        headers = [.contentType: contentType]
    }

    /// A line for a person or a program's log.
    static func text(_ status: HTTPResponse.Status, _ text: String, closes: Bool = false) -> WebAnswer {
        let bytes = ByteBuffer(string: text + "\n")
        var answer = WebAnswer(status, "text/plain; charset=utf-8", ResponseBody(byteBuffer: bytes))
        answer.closesConnection = closes
        if status == .unauthorized { answer.headers[.wwwAuthenticate] = "Bearer" }
        if status == .tooManyRequests || status == .serviceUnavailable { answer.headers[.retryAfter] = "1" }
        return answer
    }

    static let notFound = text(.notFound, "there is no such thing")
    static let notYet = text(.serviceUnavailable, "the coordinator has not said yet how it is doing")
}
