import Glibc

/// Checks one input of the fuzzer, called from Tests/Fuzz; a finding ends the process, as libFuzzer expects it.
///
/// `FLOWSTEER_FUZZ` names the target.
@_cdecl("fs_fuzz")
public func fuzz(_ input: UnsafePointer<UInt8>?, _ byteCount: Int) -> CInt {
    do {
        try target.check(unsafe Array(UnsafeBufferPointer(start: input, count: byteCount)))
    } catch {
        fatalError(error.description)
    }
    return 0
}

private let target: FuzzTarget = {
    let name = unsafe getenv("FLOWSTEER_FUZZ").map { unsafe String(cString: $0) } ?? ""
    guard let target = FuzzTarget(rawValue: name) else {
        let known = FuzzTarget.allCases.map(\.rawValue).joined(separator: ", ")
        fatalError("FLOWSTEER_FUZZ is '\(name)', expected one of \(known)")
    }
    return target
}()
