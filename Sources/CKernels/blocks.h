#ifndef FLOWSTEER_BLOCKS_H
#define FLOWSTEER_BLOCKS_H

#include <stddef.h>

// The most floats that an instruction set's block of A takes, BLOCK_ROWS x BLOCK_DEPTH: somewhat more than half of
// its CPUs' second-level cache. Larger blocks read B less often.
enum { LARGEST_BLOCK = 576 * 256 };

// The widest panel of any instruction set.
enum { WIDEST_PANEL = 32 };

// Columns of a B of k rows that are packed at a time: 8 MiB of them, the share of a lane in a third-level cache.
static inline size_t packed_columns(size_t n, size_t k) {
    size_t most = ((size_t)1 << 21) / (k + 1) / WIDEST_PANEL * WIDEST_PANEL;
    size_t all = (n + WIDEST_PANEL - 1) / WIDEST_PANEL * WIDEST_PANEL;
    most = most < WIDEST_PANEL ? WIDEST_PANEL : most;
    return all < most ? all : most;
}

// Floats of a tail of k rows, in panels.
static inline size_t tail_size(size_t n, size_t k) {
    return (n + WIDEST_PANEL - 1) / WIDEST_PANEL * WIDEST_PANEL * k;
}

#endif
