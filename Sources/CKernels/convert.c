// Half-precision formats in integer arithmetic, the same on every machine, and CRC-32C.

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

// ---- CRC-32C ----

static uint32_t crc_by_nibbles(uint32_t crc, const unsigned char *bytes, size_t count) {
    // Remainders of the sixteen 4-bit values by the reflected polynomial 0x82f63b78.
    static const uint32_t remainder[16] = {
        0x00000000u, 0x105ec76fu, 0x20bd8edeu, 0x30e349b1u,
        0x417b1dbcu, 0x5125dad3u, 0x61c69362u, 0x7198540du,
        0x82f63b78u, 0x92a8fc17u, 0xa24bb5a6u, 0xb21572c9u,
        0xc38d26c4u, 0xd3d3e1abu, 0xe330a81au, 0xf36e6f75u,
    };
    for (size_t i = 0; i < count; i++) {
        crc ^= bytes[i];
        crc = crc >> 4 ^ remainder[crc & 15];
        crc = crc >> 4 ^ remainder[crc & 15];
    }
    return crc;
}

#if defined(__x86_64__)
enum { CRC_STRIDE = 4096 };

// What CRC_STRIDE zero bytes make of a register; that is linear, so it is the sum of what they make of its bits.
static uint32_t crc_past_stride(uint32_t crc) {
    static const uint32_t bit[32] = {
        0xc2a5b65eu, 0x80a71a4du, 0x04a2426bu, 0x094484d6u,
        0x128909acu, 0x25121358u, 0x4a2426b0u, 0x94484d60u,
        0x2d7cec31u, 0x5af9d862u, 0xb5f3b0c4u, 0x6e0b1779u,
        0xdc162ef2u, 0xbdc02b15u, 0x7e6c20dbu, 0xfcd841b6u,
        0xfc5cf59du, 0xfd559dcbu, 0xff474d67u, 0xfb62ec3fu,
        0xf329ae8fu, 0xe3bf2befu, 0xc292212fu, 0x80c834afu,
        0x047c1fafu, 0x08f83f5eu, 0x11f07ebcu, 0x23e0fd78u,
        0x47c1faf0u, 0x8f83f5e0u, 0x1aeb9d31u, 0x35d73a62u,
    };
    uint32_t sum = 0;
    for (int i = 0; i < 32; i++) {
        sum ^= bit[i] & (0u - (crc >> i & 1));
    }
    return sum;
}

// The instruction takes three cycles and can begin every cycle: three strides at a time keep it busy.
__attribute__((target("sse4.2")))
static uint32_t crc_by_threes(uint32_t crc, const unsigned char *bytes) {
    uint64_t first = crc, second = 0, third = 0;
    for (size_t i = 0; i < CRC_STRIDE; i += 8) {
        uint64_t words[3];
        memcpy(&words[0], bytes + i, 8);
        memcpy(&words[1], bytes + CRC_STRIDE + i, 8);
        memcpy(&words[2], bytes + 2 * CRC_STRIDE + i, 8);
        first = __builtin_ia32_crc32di(first, words[0]);
        second = __builtin_ia32_crc32di(second, words[1]);
        third = __builtin_ia32_crc32di(third, words[2]);
    }
    return crc_past_stride(crc_past_stride((uint32_t)first) ^ (uint32_t)second) ^ (uint32_t)third;
}

__attribute__((target("sse4.2")))
static uint32_t crc_by_instruction(uint32_t crc, const unsigned char *bytes, size_t count) {
    for (; count >= 3 * CRC_STRIDE; bytes += 3 * CRC_STRIDE, count -= 3 * CRC_STRIDE) {
        crc = crc_by_threes(crc, bytes);
    }
    uint64_t wide = crc;
    for (; count >= 8; bytes += 8, count -= 8) {
        uint64_t word;
        memcpy(&word, bytes, sizeof word);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    crc = (uint32_t)wide;
    for (size_t i = 0; i < count; i++) {
        crc = __builtin_ia32_crc32qi(crc, bytes[i]);
    }
    return crc;
}
#endif

uint32_t fs_crc32c(uint32_t crc, const void *bytes, size_t count) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) {
        return ~crc_by_instruction(~crc, bytes, count);
    }
#endif
    return ~crc_by_nibbles(~crc, bytes, count);
}
