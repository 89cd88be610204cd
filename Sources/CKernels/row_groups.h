#ifndef FLOWSTEER_ROW_GROUPS_H
#define FLOWSTEER_ROW_GROUPS_H

// Row-wise kernels take rows a few at a time and do each step for all of them: the steps of one row wait for
// each other, those of several rows overlap, which is most of the time of short rows. A group of rows stays
// in the first-level cache between steps.

#include "clones.h"

#include <stddef.h>

enum { GROUP_ROWS = 8, GROUP_ELEMENTS = 4096 };

FS_INLINE size_t smaller(size_t a, size_t b) {
    return a < b ? a : b;
}

FS_INLINE size_t rows_per_group(size_t columns) {
    size_t rows = smaller(GROUP_ELEMENTS / (columns + 1), GROUP_ROWS);
    return rows < 1 ? 1 : rows;
}

#endif
