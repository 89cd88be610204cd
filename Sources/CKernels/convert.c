// Half-precision formats in integer arithmetic, the same on every machine.

#include "CKernels.h"
#include "clones.h"
#include "fast_math.h"

#include <string.h>

FS_INLINE uint16_t load16(const void *source, size_t index) {
    uint16_t half;
    memcpy(&half, (const char *)source + 2 * index, sizeof half);
    return half;
}

FS_INLINE void store16(void *target, size_t index, uint16_t half) {
    memcpy((char *)target + 2 * index, &half, sizeof half);
}

FS_INLINE float float_of_half(uint16_t half) {
    // The half's exponent and fraction in a float's place, 112 below the float's bias; the product puts that
    // right for normal and subnormal numbers alike. Infinity and NaN get the float's highest exponent.
    uint32_t magnitude = (uint32_t)(half & 0x7fff) << 13;
    uint32_t finite = fs_to_bits(fs_from_bits(magnitude) * 0x1p112f);
    uint32_t bits = magnitude >= 0x0f800000u ? magnitude | 0x7f800000u : finite;
    return fs_from_bits(bits | (uint32_t)(half & 0x8000) << 16);
}

FS_INLINE uint16_t half_of_float(float x) {
    uint32_t bits = fs_to_bits(x);
    uint32_t magnitude = bits & 0x7fffffffu;
    // Normal: rebias, and round the 13 bits that go to nearest even; a carry into the exponent is right, also
    // the one that makes infinity.
    uint32_t half = (magnitude + 0xfffu + (magnitude >> 13 & 1) - 0x38000000u) >> 13;
    // Subnormal: the last bit of a float in [0.5, 1) weighs 2^-24, as a subnormal half's, so the sum rounds.
    uint32_t subnormal = fs_to_bits(fs_from_bits(magnitude) + 0.5f) - 0x3f000000u;
    half = magnitude < 0x38800000u ? subnormal : half;
    half = magnitude >= 0x47800000u ? 0x7c00u : half;
    half = magnitude > 0x7f800000u ? 0x7e00u | (magnitude >> 13 & 0x3ffu) : half;
    return (uint16_t)(half | (bits >> 16 & 0x8000u));
}

FS_CLONES
void fs_float16_to_float(const void *source, float *target, size_t count) {
    FS_INDEPENDENT
    for (size_t i = 0; i < count; i++) {
        target[i] = float_of_half(load16(source, i));
    }
}

FS_CLONES
void fs_bfloat16_to_float(const void *source, float *target, size_t count) {
    FS_INDEPENDENT
    for (size_t i = 0; i < count; i++) {
        target[i] = fs_from_bits((uint32_t)load16(source, i) << 16);
    }
}

FS_CLONES
void fs_float_to_float16(const float *source, void *target, size_t count) {
    FS_INDEPENDENT
    for (size_t i = 0; i < count; i++) {
        store16(target, i, half_of_float(source[i]));
    }
}

FS_CLONES
void fs_float_to_bfloat16(const float *source, void *target, size_t count) {
    FS_INDEPENDENT
    for (size_t i = 0; i < count; i++) {
        store16(target, i, fs_bfloat16_of(source[i]));
    }
}
