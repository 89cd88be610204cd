import CZeroMQ
import Glibc

/// Starts a system thread that runs `body` once; nobody joins it.
///
/// - Parameter name: shown by `top -H` and debuggers, at most 15 bytes of it.
func startThread(named name: String, _ body: @escaping @Sendable () -> Void) {
    let start = unsafe Unmanaged.passRetained(ThreadStart(name: name, body: body)).toOpaque()
    var thread = pthread_t()
    let result = unsafe pthread_create(&thread, nil, runThread, start)
    precondition(result == 0, "the system starts thread \(name), error \(result)")
    pthread_detach(thread)
}

private final class ThreadStart: Sendable {
    let name: String
    let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) {
        self.name = name
        self.body = body
    }
}

private func runThread(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument = unsafe argument else { return nil }
    let start = unsafe Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue()
    unsafe pthread_setname_np(pthread_self(), String(start.name.prefix(15)))
    start.body()
    return nil
}
