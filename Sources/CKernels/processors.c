// Which processors a thread runs on; nothing where the system is not Linux.

#if defined(__linux__)
#define _GNU_SOURCE
#include <sched.h>
#endif

#include "CKernels.h"

size_t fs_allowed_processors(size_t *processors, size_t capacity) {
    size_t count = 0;
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) {
        for (size_t processor = 0; processor < CPU_SETSIZE; processor++) {
            if (CPU_ISSET(processor, &set)) {
                if (count < capacity) {
                    processors[count] = processor;
                }
                count++;
            }
        }
    }
#else
    (void)processors;
    (void)capacity;
#endif
    return count;
}

void fs_allow_processors(const size_t *processors, size_t count) {
#if defined(__linux__)
    cpu_set_t set;
    CPU_ZERO(&set);
    for (size_t i = 0; i < count; i++) {
        CPU_SET(processors[i], &set);
    }
    sched_setaffinity(0, sizeof set, &set);
#else
    (void)processors;
    (void)count;
#endif
}
