#ifndef FLOWSTEER_FAST_MATH_H
#define FLOWSTEER_FAST_MATH_H

// Branch-free single-precision functions that the compiler's vectoriser can widen. NaN in, NaN out.
// Polynomials are minimax fits on the reduced range.

#include "clones.h"

FS_INLINE float fs_from_bits(uint32_t bits) {
    float value;
    __builtin_memcpy(&value, &bits, sizeof value);
    return value;
}

FS_INLINE uint32_t fs_to_bits(float value) {
    uint32_t bits;
    __builtin_memcpy(&bits, &value, sizeof bits);
    return bits;
}

// To nearest even; NaN stays NaN.
FS_INLINE uint16_t fs_bfloat16_of(float x) {
    uint32_t bits = fs_to_bits(x);
    uint32_t rounded = (bits + 0x7fffu + (bits >> 16 & 1)) >> 16;
    uint32_t quiet = bits >> 16 | 0x40u;
    return (uint16_t)((bits & 0x7fffffffu) > 0x7f800000u ? quiet : rounded);
}

// Where exp leaves the normal floats: 2^k keeps its bit pattern for x in this range, at the lower end as 0.
#define FS_EXP_RANGE 88.0f

// e^x for |x| <= FS_EXP_RANGE, relative error 1e-7; 0 where e^x < 2^-126.5.
FS_INLINE float fs_exp_in_range(float x) {
    // Adding 1.5 * 2^23 rounds x / ln 2 to an integer k, which is left in the low bits of the sum.
    const float rounding = 0x1.8p23f;
    float shifted = x * 0x1.715476p0f + rounding;
    float k = shifted - rounding;
    float power = fs_from_bits((fs_to_bits(shifted) << 23) + 0x3f800000u);
    // x - k ln 2, with ln 2 in two pieces so that k times the high piece is exact.
    float r = (x - k * 0x1.62e4p-1f) - k * 0x1.7f7d1cp-20f;
    float q = 0x1.6a2352p-10f;
    q = q * r + 0x1.123a6cp-7f;
    q = q * r + 0x1.5558f4p-5f;
    q = q * r + 0x1.55549p-3f;
    q = q * r + 0x1.fffffcp-2f;
    return (1.0f + (r + r * r * q)) * power;
}

// e^x for x <= 0.
FS_INLINE float fs_exp_of_negative(float x) {
    return fs_exp_in_range(x < -FS_EXP_RANGE ? -FS_EXP_RANGE : x);
}

// 1 / (1 + e^-x), absolute error 2e-7.
FS_INLINE float fs_sigmoid(float x) {
    x = x < -FS_EXP_RANGE ? -FS_EXP_RANGE : x;
    x = x > FS_EXP_RANGE ? FS_EXP_RANGE : x;
    return 1.0f / (1.0f + fs_exp_in_range(-x));
}

// GELU's tanh form is x sigmoid(x (linear + cubic x^2)): 2 sqrt(2 / pi), and that times 0.044715.
#define FS_GELU_LINEAR 1.59576912f
#define FS_GELU_CUBIC (FS_GELU_LINEAR * 0.044715f)

// erfc(z) for z >= 0, given e^(-z^2); absolute error 2e-7. erfc(z) e^(z^2) is a polynomial in s = z / (1 + z
// / 2), which is exact where it matters most, at 0.
FS_INLINE float fs_erfc_given_exp(float z, float exp_minus_square) {
    float s = z / (1.0f + 0.5f * z);
    float q = 0.00160658639f;
    q = q * s + 0.000203843083f;
    q = q * s - 0.0195474774f;
    q = q * s - 0.0342886411f;
    q = q * s + 0.435800135f;
    q = q * s - 1.12837863f;
    return (1.0f + q * s) * exp_minus_square;
}

#endif
