import Foundation

/// A disk on which a test lets everything wait that must be on it, for processes that it starts.
struct SlowDisk {
    private static let source = """
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <unistd.h>

        static int wait_and(int (*real)(int), int file) {
            long milliseconds = 0;
            const char *path = getenv("SLOW_DISK_MILLISECONDS");
            FILE *number = path ? fopen(path, "r") : NULL;
            if (number) {
                if (fscanf(number, "%ld", &milliseconds) != 1) milliseconds = 0;
                fclose(number);
            }
            usleep(milliseconds * 1000);
            return real(file);
        }

        int fsync(int file) { return wait_and((int (*)(int))dlsym(RTLD_NEXT, "fsync"), file); }
        int fdatasync(int file) { return wait_and((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"), file); }
        """

    private let preload: Preload

    /// Builds the library in a folder.
    init(in folder: URL) throws {
        preload = try Preload("disk", source: Self.source, variable: "SLOW_DISK_MILLISECONDS", in: folder)
    }

    /// What a process needs in its environment to write on this disk.
    var environment: [String: String] { preload.environment }

    /// From now on the disk takes so long to say that it has something.
    func slow(to milliseconds: Int) throws { try preload.set(milliseconds) }
}
