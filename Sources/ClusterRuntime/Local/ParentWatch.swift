import Foundation
import Glibc

/// Ends this process when the one that started it is gone, so that no worker is left behind.
package enum ParentWatch {
    private static let interval = 0.5
    /// Time to say goodbye.
    private static let grace = 10.0

    /// Watches from now on; returns at once.
    ///
    /// Linux gives an orphan another parent, which is what is looked for.
    package static func start(parent: Int32) {
        let thread = Thread {
            while getppid() == parent { Thread.sleep(forTimeInterval: interval) }
            // Its coordinator ends as well: there is nothing to finish for anybody.
            kill(getpid(), SIGINT)
            Thread.sleep(forTimeInterval: grace)
            _exit(ProcessExit.tryAgain.rawValue)
        }
        thread.name = "parent watch"
        thread.start()
    }
}
