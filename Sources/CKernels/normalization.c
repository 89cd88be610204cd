// Layer norm, modulated or affine, and root mean square norm, row by row. Group norm is in group_norm.c.

#include "CKernels.h"
#include "clones.h"
#include "column_sums.h"
#include "isa.h"
#include "row_groups.h"

#include <math.h>

FS_INLINE float row_sum(const float *restrict x, size_t columns) {
#pragma clang fp reassociate(on)
    float sum = 0.0f;
#pragma clang loop interleave_count(2)
    for (size_t c = 0; c < columns; c++) {
        sum += x[c];
    }
    return sum;
}

FS_INLINE float row_squares(const float *restrict x, float mean, size_t columns) {
#pragma clang fp reassociate(on)
    float squares = 0.0f;
#pragma clang loop interleave_count(2)
    for (size_t c = 0; c < columns; c++) {
        float d = x[c] - mean;
        squares += d * d;
    }
    return squares;
}

// Mean and reciprocal deviation of each row of a group, in two passes.
FS_INLINE void row_statistics(
    const float *restrict x, size_t rows, size_t columns, float epsilon, float *restrict mean,
    float *restrict rstd) {
    for (size_t r = 0; r < rows; r++) {
        mean[r] = row_sum(x + r * columns, columns) / (float)columns;
    }
    for (size_t r = 0; r < rows; r++) {
        rstd[r] = row_squares(x + r * columns, mean[r], columns);
    }
    for (size_t r = 0; r < rows; r++) {
        rstd[r] = 1.0f / sqrtf(rstd[r] / (float)columns + epsilon);
    }
}

// y = (x - mean) * rstd * (offset + gain) + bias; both NULL: without them.
FS_INLINE void normalize_row(
    const float *restrict x, float mean, float rstd, float offset, const float *restrict gain,
    const float *restrict bias, float *restrict y, size_t columns) {
    if (gain) {
        for (size_t c = 0; c < columns; c++) {
            y[c] = (x[c] - mean) * rstd * (offset + gain[c]) + bias[c];
        }
    } else {
        for (size_t c = 0; c < columns; c++) {
            y[c] = (x[c] - mean) * rstd;
        }
    }
}

// What the gradient of a row needs: average(g), and average(g n) * rstd.
typedef struct {
    float average, slope;
} row_projection;

FS_INLINE row_projection project_row(
    const float *restrict x, float mean, float rstd, float offset, const float *restrict gain,
    const float *restrict dy, size_t columns) {
#pragma clang fp reassociate(on)
    float sum = 0.0f, product = 0.0f;
#pragma clang loop interleave_count(2)
    for (size_t c = 0; c < columns; c++) {
        float g = gain ? (offset + gain[c]) * dy[c] : dy[c];
        sum += g;
        product += g * (x[c] - mean);
    }
    return (row_projection){sum / (float)columns, product * rstd * rstd / (float)columns};
}

FS_INLINE void add_row_gradient(
    const float *restrict x, float mean, float rstd, float offset, const float *restrict gain,
    const float *restrict dy, row_projection p, float *restrict dx, size_t columns) {
    for (size_t c = 0; c < columns; c++) {
        float g = gain ? (offset + gain[c]) * dy[c] : dy[c];
        dx[c] += rstd * (g - p.average - p.slope * (x[c] - mean));
    }
}

// For each row, dx += rstd (g - average(g) - n average(g n)), with n the normalised row and
// g = dy (offset + gain) its gradient; gain NULL: g = dy.
FS_INLINE void add_gradients(
    const float *x, const float *mean, const float *rstd, float offset, const float *gain, const float *dy,
    float *dx, size_t rows, size_t columns) {
    size_t step = rows_per_group(columns);
    for (size_t first = 0; first < rows; first += step) {
        size_t last = smaller(first + step, rows);
        row_projection projections[GROUP_ROWS];
        for (size_t r = first; r < last; r++) {
            size_t at = r * columns;
            projections[r - first] = project_row(x + at, mean[r], rstd[r], offset, gain, dy + at, columns);
        }
        for (size_t r = first; r < last; r++) {
            size_t at = r * columns;
            add_row_gradient(
                x + at, mean[r], rstd[r], offset, gain, dy + at, projections[r - first], dx + at, columns);
        }
    }
}

FS_CLONES
void fs_layer_norm_modulate_forward(
    const float *x, const float *shift, const float *scale, size_t stride, float *y, float *mean, float *rstd,
    size_t rows, size_t columns, size_t rows_per_sample, float epsilon) {
    size_t step = rows_per_group(columns);
    for (size_t first = 0; first < rows; first += step) {
        size_t last = smaller(first + step, rows);
        row_statistics(x + first * columns, last - first, columns, epsilon, mean + first, rstd + first);
        for (size_t r = first; r < last; r++) {
            size_t sample = r / rows_per_sample;
            const float *gain = scale ? scale + sample * stride : NULL;
            const float *bias = shift ? shift + sample * stride : NULL;
            normalize_row(x + r * columns, mean[r], rstd[r], 1.0f, gain, bias, y + r * columns, columns);
        }
    }
}

FS_CLONES
void fs_layer_norm_modulate_pairs(
    fs_isa isa, const float *x, const float *shift, const float *scale, size_t stride, uint32_t *y, size_t rows,
    size_t columns, size_t rows_per_sample, float epsilon) {
    const isa_kernels *kernels = bf16_kernels_of(isa);
    size_t step = rows_per_group(columns), pairs = (columns + 1) / 2;
    for (size_t first = 0; first < rows; first += step) {
        size_t count = smaller(step, rows - first);
        float mean[GROUP_ROWS], rstd[GROUP_ROWS];
        row_statistics(x + first * columns, count, columns, epsilon, mean, rstd);
        for (size_t r = 0; r < count; r++) {
            size_t modulation = (first + r) / rows_per_sample * stride;
            kernels->modulate_to_pairs(
                x + (first + r) * columns, mean[r], rstd[r], scale + modulation, shift + modulation, columns,
                y + (first + r) * pairs);
        }
    }
}

FS_CLONES
void fs_layer_norm_modulate_backward(
    const float *x, const float *scale, size_t stride, const float *mean, const float *rstd, const float *dy,
    float *dx, float *dshift, float *dscale, size_t rows, size_t columns, size_t rows_per_sample) {
    size_t count;
    for (size_t first = 0; first < rows; first += count) {
        count = smaller(smaller(ROW_RUN, rows - first), rows_per_sample - first % rows_per_sample);
        size_t at = first * columns, modulation = first / rows_per_sample * stride;
        if (dx) {
            add_gradients(
                x + at, mean + first, rstd + first, 1.0f, scale ? scale + modulation : NULL, dy + at, dx + at,
                count, columns);
        }
        if (dshift) {
            add_column_sums(dy + at, dshift + modulation, count, columns);
        }
        if (dscale) {
            add_normalized_column_products(
                x + at, mean + first, rstd + first, dy + at, dscale + modulation, count, columns);
        }
    }
}

FS_CLONES
void fs_layer_norm_affine_forward(
    const float *x, const float *weight, const float *bias, float *y, float *mean, float *rstd,
    size_t rows, size_t columns, float epsilon) {
    size_t step = rows_per_group(columns);
    for (size_t first = 0; first < rows; first += step) {
        size_t last = smaller(first + step, rows);
        row_statistics(x + first * columns, last - first, columns, epsilon, mean + first, rstd + first);
        for (size_t r = first; r < last; r++) {
            normalize_row(x + r * columns, mean[r], rstd[r], 0.0f, weight, bias, y + r * columns, columns);
        }
    }
}

FS_CLONES
void fs_layer_norm_affine_backward(
    const float *x, const float *weight, const float *mean, const float *rstd, const float *dy,
    float *dx, float *dweight, float *dbias, size_t rows, size_t columns) {
    for (size_t first = 0; first < rows; first += ROW_RUN) {
        size_t count = smaller(ROW_RUN, rows - first), at = first * columns;
        if (dx) {
            add_gradients(
                x + at, mean + first, rstd + first, 0.0f, weight, dy + at, dx + at, count, columns);
        }
        if (dbias) {
            add_column_sums(dy + at, dbias, count, columns);
        }
        if (dweight) {
            add_normalized_column_products(
                x + at, mean + first, rstd + first, dy + at, dweight, count, columns);
        }
    }
}

// Rows are heads, mostly of two vectors: more of them at a time would leave them to what comes after the loop.
#define SHORT_ROWS _Pragma("clang loop interleave_count(1)")

FS_INLINE float mean_square(const float *restrict x, size_t columns) {
#pragma clang fp reassociate(on)
    float squares = 0.0f;
    SHORT_ROWS
    for (size_t c = 0; c < columns; c++) {
        squares += x[c] * x[c];
    }
    return squares / (float)columns;
}

FS_CLONES
void fs_rms_norm_forward(
    const float *x, const float *weight, float *y, float *rstd, size_t rows, size_t columns, float epsilon) {
    for (size_t r = 0; r < rows; r++) {
        const float *x_row = x + r * columns;
        float *y_row = y + r * columns;
        float factor = 1.0f / sqrtf(mean_square(x_row, columns) + epsilon);
        rstd[r] = factor;
        FS_INDEPENDENT
        SHORT_ROWS
        for (size_t c = 0; c < columns; c++) {
            y_row[c] = x_row[c] * factor * weight[c];
        }
    }
}

// dx += rstd (g - n average(g n)), with n the normalised row and g = dy weight its gradient.
FS_INLINE void add_rms_row_gradient(
    const float *restrict x, const float *restrict weight, float rstd, const float *restrict dy,
    float *restrict dx, size_t columns) {
#pragma clang fp reassociate(on)
    float product = 0.0f;
#pragma clang loop interleave_count(2)
    for (size_t c = 0; c < columns; c++) {
        product += weight[c] * dy[c] * x[c];
    }
    float slope = product * rstd * rstd / (float)columns;
    for (size_t c = 0; c < columns; c++) {
        dx[c] += rstd * (weight[c] * dy[c] - slope * x[c]);
    }
}

FS_CLONES
void fs_rms_norm_backward(
    const float *x, const float *weight, const float *rstd, const float *dy, float *dx, float *dweight,
    size_t rows, size_t columns) {
    for (size_t first = 0; first < rows; first += ROW_RUN) {
        size_t last = smaller(first + ROW_RUN, rows);
        for (size_t r = first; dx && r < last; r++) {
            size_t at = r * columns;
            add_rms_row_gradient(x + at, weight, rstd[r], dy + at, dx + at, columns);
        }
        if (dweight) {
            size_t at = first * columns;
            add_normalized_column_products(
                x + at, NULL, rstd + first, dy + at, dweight, last - first, columns);
        }
    }
}
