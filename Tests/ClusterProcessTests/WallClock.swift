import Foundation

/// A wall clock that a test sets, for processes that it starts; their other clocks go on as they are.
struct WallClock {
    private static let source = """
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <stdio.h>
        #include <stdlib.h>
        #include <sys/time.h>
        #include <time.h>

        static long shift(void) {
            long seconds = 0;
            const char *path = getenv("WALL_CLOCK_SHIFT");
            FILE *file = path ? fopen(path, "r") : NULL;
            if (file) {
                if (fscanf(file, "%ld", &seconds) != 1) seconds = 0;
                fclose(file);
            }
            return seconds;
        }

        int clock_gettime(clockid_t clock, struct timespec *now) {
            static int (*real)(clockid_t, struct timespec *);
            if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
            int result = real(clock, now);
            if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += shift();
            return result;
        }

        int gettimeofday(struct timeval *now, void *zone) {
            struct timespec exact;
            (void)zone;
            if (clock_gettime(CLOCK_REALTIME, &exact) != 0) return -1;
            now->tv_sec = exact.tv_sec;
            now->tv_usec = exact.tv_nsec / 1000;
            return 0;
        }

        time_t time(time_t *now) {
            struct timespec exact;
            if (clock_gettime(CLOCK_REALTIME, &exact) != 0) return -1;
            if (now) *now = exact.tv_sec;
            return exact.tv_sec;
        }
        """

    private let preload: Preload

    /// Builds the library in a folder.
    init(in folder: URL) throws {
        preload = try Preload("clock", source: Self.source, variable: "WALL_CLOCK_SHIFT", in: folder)
    }

    /// What a process needs in its environment to go by this clock.
    var environment: [String: String] { preload.environment }

    /// From now on the clock shows another time than the machine's, by so many seconds.
    func jump(to seconds: Int) throws { try preload.set(seconds) }
}
