// Scalars of whole buffers.

#include "CKernels.h"
#include "clones.h"
#include "fast_math.h"

#include <math.h>

// Elements summed together before their total joins the result.
enum { BLOCK = 4096 };

typedef enum { SUM, SQUARES, PRODUCTS, SQUARED_DIFFERENCES, HINGES } summand;

FS_INLINE double block_total(
    summand kind, const float *restrict x, const float *restrict y, double sign, size_t count) {
#pragma clang fp reassociate(on)
    double total = 0.0;
    for (size_t i = 0; i < count; i++) {
        double a = x[i];
        switch (kind) {
        case SUM: total += a; break;
        case SQUARES: total += a * a; break;
        case PRODUCTS: total += a * y[i]; break;
        case SQUARED_DIFFERENCES: total += (a - y[i]) * (a - y[i]); break;
        case HINGES: total += 1.0 - sign * a > 0.0 ? 1.0 - sign * a : 0.0; break;
        }
    }
    return total;
}

FS_INLINE double sum_of_blocks(summand kind, const float *x, const float *y, double sign, size_t count) {
    double total = 0.0;
    for (size_t first = 0; first < count; first += BLOCK) {
        size_t length = count - first < BLOCK ? count - first : BLOCK;
        total += block_total(kind, x + first, y + first, sign, length);
    }
    return total;
}

FS_CLONES
double fs_sum(const float *x, size_t count) {
    return sum_of_blocks(SUM, x, x, 0.0, count);
}

FS_CLONES
double fs_sum_of_squares(const float *x, size_t count) {
    return sum_of_blocks(SQUARES, x, x, 0.0, count);
}

FS_CLONES
double fs_dot(const float *x, const float *y, size_t count) {
    return sum_of_blocks(PRODUCTS, x, y, 0.0, count);
}

FS_CLONES
double fs_squared_distance(const float *x, const float *y, size_t count) {
    return sum_of_blocks(SQUARED_DIFFERENCES, x, y, 0.0, count);
}

FS_CLONES
double fs_hinge_forward(const float *x, float sign, size_t count) {
    return sum_of_blocks(HINGES, x, x, sign, count);
}

// Compares bit patterns: for values without sign they order as the numbers do, with NaN above all, so that
// a NaN is reported and not lost.
FS_CLONES
float fs_largest_absolute_difference(const float *x, const float *y, size_t count) {
    uint32_t largest = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t bits = fs_to_bits(fabsf(x[i] - y[i]));
        largest = bits > largest ? bits : largest;
    }
    return fs_from_bits(largest);
}

FS_CLONES
int fs_all_finite(const float *x, size_t count) {
    for (size_t first = 0; first < count; first += BLOCK) {
        size_t length = count - first < BLOCK ? count - first : BLOCK;
        uint32_t largest = 0;
        for (size_t i = first; i < first + length; i++) {
            uint32_t magnitude = fs_to_bits(x[i]) & 0x7fffffffu;
            largest = magnitude > largest ? magnitude : largest;
        }
        if (largest >= 0x7f800000u) {
            return 0;
        }
    }
    return 1;
}

FS_CLONES
void fs_add_scaled_difference(
    float coefficient, const float *restrict x, const float *restrict y, float *restrict dx, size_t count) {
    for (size_t i = 0; i < count; i++) {
        dx[i] += coefficient * (x[i] - y[i]);
    }
}

FS_CLONES
void fs_hinge_backward(
    const float *restrict x, float sign, float coefficient, float *restrict dx, size_t count) {
    float slope = -sign * coefficient;
    for (size_t i = 0; i < count; i++) {
        dx[i] += 1.0f - sign * x[i] > 0.0f ? slope : 0.0f;
    }
}
