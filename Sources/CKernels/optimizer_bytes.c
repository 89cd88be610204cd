// AdamW with moments in one byte a number: dynamic quantisation in blocks (Dettmers and others 2022, arXiv 2110.02861,
// sections 1.2 and 2.1), each with its largest magnitude as a float.
//
// A magnitude is a decade, 10^-6 ... 1, and a linear place in it; the ends of the decades are exact, so the largest
// number of a block is kept as it is. First moments have a sign and 7 bits of magnitude. Of second moments the root is
// kept, in 8 bits, and is never rounded to zero: an update divides by it, and it spans the decades that the first
// moment spans, where the square would fall out of them.

#include "CKernels.h"
#include "clones.h"
#include "fast_math.h"

#include <math.h>
#include <string.h>

enum {
    DECADES = 7,
    // Slots of the highest 8 bits of a fraction from 2^-21 to 1, each with one midpoint of two codes at most.
    LEAST_EXPONENT = 127 - 21,
    SLOTS = 21 * 256 + 1,
};

// Below this, 1 / largest would not be finite: such a block is zeros.
#define LEAST 1e-36f

typedef struct {
    float values[256];      // of a code; second moments' codes have no sign
    float midpoints[256];   // between the magnitudes of a code and of the next one; the last is never exceeded
    uint8_t first[SLOTS];   // the code of the least magnitude of a slot
} book;

size_t fs_moment_codes_size(void) {
    return (2 * sizeof(book) + sizeof(float) - 1) / sizeof(float);
}

static void fill(book *b, int bits) {
    size_t count = 0;
    b->values[count++] = 0.0f;
    for (int decade = 0; decade < DECADES; decade++) {
        double top = pow(10.0, decade + 1 - DECADES);
        int parts = 1 << (decade + bits - 7);
        for (int part = 1; part <= parts; part++) {
            b->values[count++] = (float)(top * (0.1 + 0.9 * part / parts));
        }
    }
    for (size_t code = 0; code < 256; code++) {
        b->midpoints[code] = code + 1 < count ? 0.5f * (b->values[code] + b->values[code + 1]) : INFINITY;
    }
    uint8_t code = 0;
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        float least = fs_from_bits(((uint32_t)LEAST_EXPONENT << 23) + (slot << 15));
        while (least > b->midpoints[code]) {
            code++;
        }
        b->first[slot] = code;
    }
    if (bits == 7) {
        for (size_t i = 0; i < 128; i++) {
            b->values[128 + i] = -b->values[i];
        }
    }
}

void fs_fill_moment_codes(float *codes) {
    fill((book *)codes, 7);
    fill((book *)codes + 1, 8);
}

FS_INLINE const book *book_of(const float *codes, fs_moment moment) {
    return (const book *)codes + (moment == FS_SECOND_MOMENT);
}

// The nearest code of a fraction, 0 ... 1.
FS_INLINE uint8_t code_of(const book *b, float fraction) {
    uint32_t bits = fs_to_bits(fraction < 1.0f ? fraction : 1.0f);
    if (bits < (uint32_t)LEAST_EXPONENT << 23) {
        return 0;
    }
    uint8_t code = b->first[(bits >> 15) - ((uint32_t)LEAST_EXPONENT << 8)];
    return (uint8_t)(code + (fs_from_bits(bits) > b->midpoints[code]));
}

// First moments, or roots of second ones, as codes; returns their scale.
FS_INLINE float encode(const book *b, fs_moment moment, const float *x, uint8_t *codes, size_t count) {
    uint32_t largest = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t magnitude = fs_to_bits(x[i]) & 0x7fffffffu;
        largest = magnitude > largest ? magnitude : largest;
    }
    float scale = fs_from_bits(largest);
    if (!(scale >= LEAST)) {
        memset(codes, 0, count);
        return 0.0f;
    }
    float inverse = 1.0f / scale;
    for (size_t i = 0; i < count; i++) {
        uint8_t code = code_of(b, fabsf(x[i]) * inverse);
        if (moment == FS_FIRST_MOMENT) {
            codes[i] = (uint8_t)(code | (x[i] < 0.0f && code ? 128 : 0));
        } else {
            codes[i] = (uint8_t)(code | (x[i] > 0.0f && !code));
        }
    }
    return scale;
}

FS_INLINE size_t length_of(size_t first, size_t count) {
    return count - first < FS_MOMENT_BLOCK ? count - first : FS_MOMENT_BLOCK;
}

FS_CLONES
void fs_moment_from_bytes(
    const float *codes, fs_moment moment, const uint8_t *bytes, const float *scales, float *values, size_t count) {
    const book *b = book_of(codes, moment);
    for (size_t i = 0; i < count; i++) {
        float value = b->values[bytes[i]] * scales[i / FS_MOMENT_BLOCK];
        values[i] = moment == FS_FIRST_MOMENT ? value : value * value;
    }
}

FS_CLONES
void fs_moment_to_bytes(
    const float *codes, fs_moment moment, const float *values, uint8_t *bytes, float *scales, size_t count) {
    for (size_t first = 0; first < count; first += FS_MOMENT_BLOCK) {
        size_t length = length_of(first, count);
        float x[FS_MOMENT_BLOCK];
        for (size_t i = 0; i < length; i++) {
            float value = values[first + i];
            x[i] = moment == FS_FIRST_MOMENT ? value : sqrtf(value);
        }
        scales[first / FS_MOMENT_BLOCK] = encode(book_of(codes, moment), moment, x, bytes + first, length);
    }
}

FS_CLONES
void fs_adamw_bytes(
    const float *codes, float *restrict parameters, const float *restrict gradients, uint8_t *restrict m_bytes,
    float *restrict m_scales, uint8_t *restrict v_bytes, float *restrict v_scales, size_t count, float learning_rate,
    float beta1, float beta2, float epsilon, float weight_decay, float correction1, float correction2,
    float gradient_scale) {
    const book *m_book = book_of(codes, FS_FIRST_MOMENT), *v_book = book_of(codes, FS_SECOND_MOMENT);
    float keep = 1.0f - learning_rate * weight_decay;
    float step = learning_rate / correction1;
    float spread = 1.0f / sqrtf(correction2);
    for (size_t start = 0; start < count; start += FS_MOMENT_BLOCK) {
        size_t length = length_of(start, count), block = start / FS_MOMENT_BLOCK;
        float m[FS_MOMENT_BLOCK], root[FS_MOMENT_BLOCK];
        float m_scale = m_scales[block], v_scale = v_scales[block];
        for (size_t i = 0; i < length; i++) {
            m[i] = m_book->values[m_bytes[start + i]] * m_scale;
            root[i] = v_book->values[v_bytes[start + i]] * v_scale;
        }
        for (size_t i = 0; i < length; i++) {
            float g = gradient_scale * gradients[start + i];
            float first = beta1 * m[i] + (1.0f - beta1) * g;
            float second = sqrtf(beta2 * root[i] * root[i] + (1.0f - beta2) * g * g);
            m[i] = first;
            root[i] = second;
            parameters[start + i] = keep * parameters[start + i] - step * first / (second * spread + epsilon);
        }
        m_scales[block] = encode(m_book, FS_FIRST_MOMENT, m, m_bytes + start, length);
        v_scales[block] = encode(v_book, FS_SECOND_MOMENT, root, v_bytes + start, length);
    }
}
