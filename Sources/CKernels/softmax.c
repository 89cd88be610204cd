// Softmax over rows of attention scores, and its gradient.

#include "CKernels.h"
#include "clones.h"
#include "fast_math.h"
#include "row_groups.h"

#include <math.h>
#include <string.h>

typedef float lanes16 __attribute__((ext_vector_type(16)));
typedef float lanes8 __attribute__((ext_vector_type(8)));
typedef float lanes4 __attribute__((ext_vector_type(4)));

// The largest sign * x, NaN not counted; sign is 1 or -1. Written in vectors because the vectoriser keeps to
// fmaxf's treatment of NaN, at three times the cost.
FS_INLINE float largest_signed(const float *x, size_t count, float sign) {
    lanes16 wide = -INFINITY;
    size_t i = 0;
    for (; i + 16 <= count; i += 16) {
        lanes16 next;
        memcpy(&next, x + i, sizeof next);
        next *= sign;
        wide = next > wide ? next : wide;
    }
    lanes8 half = wide.lo > wide.hi ? wide.lo : wide.hi;
    lanes4 quarter = half.lo > half.hi ? half.lo : half.hi;
    float largest = -INFINITY;
    for (int lane = 0; lane < 4; lane++) {
        largest = quarter[lane] > largest ? quarter[lane] : largest;
    }
    for (; i < count; i++) {
        float next = sign * x[i];
        largest = next > largest ? next : largest;
    }
    return largest;
}

// x becomes e^(magnitude (sign x - largest)); returns the sum. The largest is subtracted before scaling, when
// the difference of the largest itself is exactly 0 however large the scores are.
FS_INLINE float exponentiate(float *restrict x, size_t count, float magnitude, float sign, float largest) {
#pragma clang fp reassociate(on)
    float sum = 0.0f;
#pragma clang loop interleave_count(2)
    for (size_t i = 0; i < count; i++) {
        float e = fs_exp_of_negative(magnitude * (sign * x[i] - largest));
        x[i] = e;
        sum += e;
    }
    return sum;
}

FS_INLINE void multiply(float *restrict x, size_t count, float factor) {
#pragma clang loop interleave_count(2)
    for (size_t i = 0; i < count; i++) {
        x[i] *= factor;
    }
}

FS_CLONES
void fs_softmax_forward(float *scores, size_t rows, size_t columns, float scale, int causal) {
    // The softmax of scale * x is that of |scale| * (sign * x).
    float sign = scale < 0.0f ? -1.0f : 1.0f, magnitude = fabsf(scale);
    size_t step = rows_per_group(columns);
    for (size_t first = 0; first < rows; first += step) {
        size_t count = smaller(step, rows - first);
        float *group = scores + first * columns;
        size_t visible[GROUP_ROWS];
        float largest[GROUP_ROWS], sum[GROUP_ROWS];
        for (size_t r = 0; r < count; r++) {
            visible[r] = causal && first + r + 1 < columns ? first + r + 1 : columns;
            largest[r] = largest_signed(group + r * columns, visible[r], sign);
        }
        for (size_t r = 0; r < count; r++) {
            sum[r] = exponentiate(group + r * columns, visible[r], magnitude, sign, largest[r]);
        }
        for (size_t r = 0; r < count; r++) {
            multiply(group + r * columns, visible[r], 1.0f / sum[r]);
            if (visible[r] < columns) {
                memset(group + r * columns + visible[r], 0, (columns - visible[r]) * sizeof *group);
            }
        }
    }
}

FS_INLINE float dot(const float *restrict x, const float *restrict y, size_t count) {
#pragma clang fp reassociate(on)
    float sum = 0.0f;
    for (size_t i = 0; i < count; i++) {
        sum += x[i] * y[i];
    }
    return sum;
}

FS_CLONES
void fs_softmax_backward(const float *p, float *dp, size_t rows, size_t columns, float scale) {
    for (size_t r = 0; r < rows; r++) {
        const float *restrict row = p + r * columns;
        float *restrict gradient = dp + r * columns;
        float mean = dot(row, gradient, columns);
        for (size_t c = 0; c < columns; c++) {
            gradient[c] = scale * row[c] * (gradient[c] - mean);
        }
    }
}
