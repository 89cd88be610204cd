// CRC-32C (Castagnoli, RFC 3720): by carry-less products of 256-bit vectors, by the CPU's own instruction, or by nibbles.

#include "CKernels.h"
#include "clones.h"

#include <string.h>

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

#include <immintrin.h>

__attribute__((target("sse4.2")))
static uint32_t crc_by_instruction(uint32_t crc, const unsigned char *bytes, size_t count) {
    uint64_t wide = crc;
    for (; count >= 8; bytes += 8, count -= 8) {
        uint64_t word;
        memcpy(&word, bytes, sizeof word);
        wide = _mm_crc32_u64(wide, word);
    }
    crc = (uint32_t)wide;
    for (size_t i = 0; i < count; i++) {
        crc = _mm_crc32_u8(crc, bytes[i]);
    }
    return crc;
}

#pragma clang attribute push(__attribute__((target("avx2,vpclmulqdq"))), apply_to = function)

// Vectors taken at a time: a product takes several cycles and another can begin every one.
enum { VECTORS = 8, STRIDE = VECTORS * (int)sizeof(__m256i) };

FS_INLINE __m256i load(const unsigned char *bytes, int vector) {
    return _mm256_loadu_si256((const __m256i *)bytes + vector);
}

// The polynomial `x` moved on by a number of bits, plus what is there. Of each 128 bits the first 64 are multiplied by
// `factors`' first number, x^(bits + 32) modulo the CRC's polynomial, the last 64 by its second, x^(bits - 32): both
// reflected, and one place up, since the product of two reflected polynomials lies one place down.
FS_INLINE __m256i folded(__m256i x, __m256i factors, __m256i there) {
    const __m256i first = _mm256_clmulepi64_epi128(x, factors, 0x00);
    const __m256i last = _mm256_clmulepi64_epi128(x, factors, 0x11);
    return _mm256_xor_si256(_mm256_xor_si256(first, last), there);
}

// Gopal et al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction", Intel 2009; of a stride or more.
static uint32_t crc_by_folding(uint32_t crc, const unsigned char *bytes, size_t count) {
    const __m256i stride_factors = _mm256_setr_epi64x(0xdcb17aa4, 0xb9e02b86, 0xdcb17aa4, 0xb9e02b86);
    const __m256i vector_factors = _mm256_setr_epi64x(0x1384aa63a, 0xba4fc28e, 0x1384aa63a, 0xba4fc28e);
    __m256i x[VECTORS];
    for (int i = 0; i < VECTORS; i++) {
        x[i] = load(bytes, i);
    }
    x[0] = _mm256_xor_si256(x[0], _mm256_setr_epi32((int)crc, 0, 0, 0, 0, 0, 0, 0));
    for (bytes += STRIDE, count -= STRIDE; count >= STRIDE; bytes += STRIDE, count -= STRIDE) {
#pragma clang loop unroll(full)
        for (int i = 0; i < VECTORS; i++) {
            x[i] = folded(x[i], stride_factors, load(bytes, i));
        }
    }
    for (int i = 1; i < VECTORS; i++) {
        x[i] = folded(x[i - 1], vector_factors, x[i]);
    }
    unsigned char rest[sizeof(__m256i)];
    memcpy(rest, &x[VECTORS - 1], sizeof rest);
    return crc_by_instruction(crc_by_instruction(0, rest, sizeof rest), bytes, count);
}

#pragma clang attribute pop

#endif

uint32_t fs_crc32c(uint32_t crc, const void *bytes, size_t count) {
#if defined(__x86_64__)
    if (count >= STRIDE && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("vpclmulqdq")) {
        return ~crc_by_folding(~crc, bytes, count);
    }
    if (__builtin_cpu_supports("sse4.2")) {
        return ~crc_by_instruction(~crc, bytes, count);
    }
#endif
    return ~crc_by_nibbles(~crc, bytes, count);
}
