// Numbers in one byte each: blocks of FS_INT8_BLOCK numbers, a float scale and then number / scale as signed bytes.

#include "CKernels.h"
#include "clones.h"
#include "fast_math.h"

#include <string.h>

// Below this, 127 / largest would not be finite: such a block is zeros.
#define LEAST 1e-36f

FS_INLINE float largest_magnitude(const float *x, size_t count) {
    uint32_t largest = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t magnitude = fs_to_bits(x[i]) & 0x7fffffffu;
        largest = magnitude > largest ? magnitude : largest;
    }
    // Infinity and NaN are above all numbers, so they become the scale.
    return fs_from_bits(largest);
}

FS_CLONES
void fs_float_to_int8(const float *source, void *target, size_t count) {
    char *block = target;
    for (size_t first = 0; first < count; first += FS_INT8_BLOCK) {
        size_t length = count - first < FS_INT8_BLOCK ? count - first : FS_INT8_BLOCK;
        const float *x = source + first;
        float largest = largest_magnitude(x, length);
        int zeros = largest < LEAST;
        float scale = zeros ? 0 : largest / 127;
        float inverse = zeros ? 0 : 127 / largest;
        memcpy(block, &scale, sizeof scale);
        int8_t *bytes = (int8_t *)block + sizeof scale;
        FS_INDEPENDENT
        for (size_t i = 0; i < length; i++) {
            // The last bit of a float in [2^23, 2^24) weighs 1, so the sum rounds to nearest even.
            uint32_t rounded = fs_to_bits(x[i] * inverse + 0x1.8p23f) - fs_to_bits(0x1.8p23f);
            bytes[i] = (int8_t)rounded;
        }
        block += sizeof scale + length;
    }
}

FS_CLONES
void fs_int8_to_float(const void *source, float *target, size_t count) {
    const char *block = source;
    for (size_t first = 0; first < count; first += FS_INT8_BLOCK) {
        size_t length = count - first < FS_INT8_BLOCK ? count - first : FS_INT8_BLOCK;
        float scale;
        memcpy(&scale, block, sizeof scale);
        const int8_t *bytes = (const int8_t *)block + sizeof scale;
        float *x = target + first;
        FS_INDEPENDENT
        for (size_t i = 0; i < length; i++) {
            x[i] = scale * (float)bytes[i];
        }
        block += sizeof scale + length;
    }
}
