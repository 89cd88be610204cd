// Element-wise activation functions and their derivatives.

#include "CKernels.h"
#include "clones.h"
#include "fast_math.h"

// 1 / sqrt 2 and 1 / sqrt(2 pi).
#define SQRT_HALF 0.707106781f
#define NORMAL_DENSITY_AT_0 0.398942280f
#define QUICK_GELU_SLOPE 1.702f
#define LEAK 0.2f
// e^(-z^2) is 0 from here on, and -z^2 still in the range of the exponential.
#define LARGEST_Z 9.375f

// The standard normal distribution function, whose tail keeps its relative accuracy for x < 0; `bell` becomes
// e^(-x^2 / 2).
FS_INLINE float normal_distribution(float x, float *bell) {
    float z = __builtin_fabsf(x) * SQRT_HALF;
    z = z > LARGEST_Z ? LARGEST_Z : z;
    *bell = fs_exp_in_range(-z * z);
    float tail = 0.5f * fs_erfc_given_exp(z, *bell);
    return x < 0.0f ? tail : 1.0f - tail;
}

FS_INLINE float value(fs_activation kind, float x) {
    switch (kind) {
    case FS_GELU_TANH:
        // 0.5 (1 + tanh u) = sigmoid(2 u).
        return x * fs_sigmoid(x * (FS_GELU_LINEAR + FS_GELU_CUBIC * x * x));
    case FS_GELU_ERF: {
        float bell;
        return x * normal_distribution(x, &bell);
    }
    case FS_QUICK_GELU:
        return x * fs_sigmoid(QUICK_GELU_SLOPE * x);
    case FS_SILU:
        return x * fs_sigmoid(x);
    case FS_LEAKY_RELU:
        return x > 0.0f ? x : LEAK * x;
    case FS_RELU:
        return x > 0.0f ? x : 0.0f;
    }
}

FS_INLINE float derivative(fs_activation kind, float x) {
    switch (kind) {
    case FS_GELU_TANH: {
        float s = fs_sigmoid(x * (FS_GELU_LINEAR + FS_GELU_CUBIC * x * x));
        float slope = FS_GELU_LINEAR + 3.0f * FS_GELU_CUBIC * x * x;
        return s + s * (1.0f - s) * x * slope;
    }
    case FS_GELU_ERF: {
        float bell;
        float distribution = normal_distribution(x, &bell);
        return distribution + x * NORMAL_DENSITY_AT_0 * bell;
    }
    case FS_QUICK_GELU: {
        float s = fs_sigmoid(QUICK_GELU_SLOPE * x);
        return s + s * (1.0f - s) * QUICK_GELU_SLOPE * x;
    }
    case FS_SILU: {
        float s = fs_sigmoid(x);
        return s + s * (1.0f - s) * x;
    }
    case FS_LEAKY_RELU:
        return x > 0.0f ? 1.0f : LEAK;
    case FS_RELU:
        return x > 0.0f ? 1.0f : 0.0f;
    }
}

// Each kind gets its own loop: inlined with a constant, the switch inside folds away. Two vectors at a time
// hide the length of the dependent chain in each.
#define INDEPENDENT_PAIRS _Pragma("clang loop vectorize(assume_safety) interleave_count(2)")

FS_INLINE void map_values(fs_activation kind, const float *x, float *y, size_t count) {
    INDEPENDENT_PAIRS
    for (size_t i = 0; i < count; i++) {
        y[i] = value(kind, x[i]);
    }
}

FS_INLINE void map_derivatives(
    fs_activation kind, const float *restrict x, const float *restrict dy, float *restrict dx, size_t count,
    int adding) {
    INDEPENDENT_PAIRS
    for (size_t i = 0; i < count; i++) {
        float gradient = derivative(kind, x[i]) * dy[i];
        dx[i] = adding ? dx[i] + gradient : gradient;
    }
}

FS_INLINE void pull_back(
    fs_activation kind, const float *x, const float *dy, float *dx, size_t count, int adding) {
    if (adding) {
        map_derivatives(kind, x, dy, dx, count, 1);
    } else {
        map_derivatives(kind, x, dy, dx, count, 0);
    }
}

FS_CLONES
void fs_activation_forward(fs_activation kind, const float *x, float *y, size_t count) {
    switch (kind) {
    case FS_GELU_TANH: map_values(FS_GELU_TANH, x, y, count); break;
    case FS_GELU_ERF: map_values(FS_GELU_ERF, x, y, count); break;
    case FS_QUICK_GELU: map_values(FS_QUICK_GELU, x, y, count); break;
    case FS_SILU: map_values(FS_SILU, x, y, count); break;
    case FS_LEAKY_RELU: map_values(FS_LEAKY_RELU, x, y, count); break;
    case FS_RELU: map_values(FS_RELU, x, y, count); break;
    }
}

FS_CLONES
void fs_activation_backward(
    fs_activation kind, const float *x, const float *dy, float *dx, size_t count, int adding) {
    switch (kind) {
    case FS_GELU_TANH: pull_back(FS_GELU_TANH, x, dy, dx, count, adding); break;
    case FS_GELU_ERF: pull_back(FS_GELU_ERF, x, dy, dx, count, adding); break;
    case FS_QUICK_GELU: pull_back(FS_QUICK_GELU, x, dy, dx, count, adding); break;
    case FS_SILU: pull_back(FS_SILU, x, dy, dx, count, adding); break;
    case FS_LEAKY_RELU: pull_back(FS_LEAKY_RELU, x, dy, dx, count, adding); break;
    case FS_RELU: pull_back(FS_RELU, x, dy, dx, count, adding); break;
    }
}
