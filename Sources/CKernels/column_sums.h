#ifndef FLOWSTEER_COLUMN_SUMS_H
#define FLOWSTEER_COLUMN_SUMS_H

// Sums down the columns of a matrix, for the gradients of vectors that a kernel broadcasts over rows.
// Rows are taken in short runs, each summed into a small tile first: the rounding error then grows with the
// number of runs, not of rows, and a run of rows is still in the cache.

#include "clones.h"
#include "row_groups.h"

#include <stddef.h>

enum { COLUMN_TILE = 256, ROW_RUN = 32 };

FS_INLINE void tile_clear(float *restrict tile, size_t width) {
    for (size_t c = 0; c < width; c++) {
        tile[c] = 0.0f;
    }
}

// What a row contributes to a column: x, x * y, or the normalised (x - mean) * rstd * y.
FS_INLINE void tile_add(float *restrict tile, const float *restrict x, size_t width) {
    for (size_t c = 0; c < width; c++) {
        tile[c] += x[c];
    }
}

FS_INLINE void tile_add_product(
    float *restrict tile, const float *restrict x, const float *restrict y, size_t width) {
    for (size_t c = 0; c < width; c++) {
        tile[c] += x[c] * y[c];
    }
}

FS_INLINE void tile_add_normalized(
    float *restrict tile, const float *restrict x, float mean, float rstd, const float *restrict y,
    size_t width) {
    for (size_t c = 0; c < width; c++) {
        tile[c] += (x[c] - mean) * rstd * y[c];
    }
}

// sum[:] += over rows of x.
FS_INLINE void add_column_sums(const float *restrict x, float *restrict sum, size_t rows, size_t columns) {
    for (size_t row = 0; row < rows; row += ROW_RUN) {
        size_t last = smaller(row + ROW_RUN, rows);
        for (size_t column = 0; column < columns; column += COLUMN_TILE) {
            size_t width = smaller(COLUMN_TILE, columns - column);
            float tile[COLUMN_TILE];
            tile_clear(tile, width);
            for (size_t r = row; r < last; r++) {
                tile_add(tile, x + r * columns + column, width);
            }
            tile_add(sum + column, tile, width);
        }
    }
}

// sum[:] += over rows of x * y.
FS_INLINE void add_column_products(
    const float *restrict x, const float *restrict y, float *restrict sum, size_t rows, size_t columns) {
    for (size_t row = 0; row < rows; row += ROW_RUN) {
        size_t last = smaller(row + ROW_RUN, rows);
        for (size_t column = 0; column < columns; column += COLUMN_TILE) {
            size_t width = smaller(COLUMN_TILE, columns - column);
            float tile[COLUMN_TILE];
            tile_clear(tile, width);
            for (size_t r = row; r < last; r++) {
                tile_add_product(tile, x + r * columns + column, y + r * columns + column, width);
            }
            tile_add(sum + column, tile, width);
        }
    }
}

// sum[:] += over rows of (x - mean) * rstd * y; mean may be NULL for 0.
FS_INLINE void add_normalized_column_products(
    const float *restrict x, const float *restrict mean, const float *restrict rstd, const float *restrict y,
    float *restrict sum, size_t rows, size_t columns) {
    for (size_t row = 0; row < rows; row += ROW_RUN) {
        size_t last = smaller(row + ROW_RUN, rows);
        for (size_t column = 0; column < columns; column += COLUMN_TILE) {
            size_t width = smaller(COLUMN_TILE, columns - column);
            float tile[COLUMN_TILE];
            tile_clear(tile, width);
            for (size_t r = row; r < last; r++) {
                size_t at = r * columns + column;
                tile_add_normalized(tile, x + at, mean ? mean[r] : 0.0f, rstd[r], y + at, width);
            }
            tile_add(sum + column, tile, width);
        }
    }
}

#endif
