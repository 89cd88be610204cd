// SHA-256 (FIPS 180-4) of many blocks at once: with AVX-512 a lane of a register is a word of one block's state; with the
// SHA instructions, which are done four cycles after they began and can begin every other, two blocks take turns.

#include "isa.h"

#include "clones.h"

#include <string.h>

#if defined(__x86_64__)

#include <immintrin.h>

enum { BLOCKS = FS_SHA256_BLOCKS, WORDS = 16, ROUNDS = 64, MESSAGE_BYTES = 4 * WORDS };

typedef uint32_t lanes __attribute__((vector_size(4 * BLOCKS), may_alias));
typedef uint64_t lane_pairs __attribute__((vector_size(4 * BLOCKS), may_alias));

#define ROTATED(x, n) ((x) >> (n) | (x) << (32 - (n)))

static const uint32_t initial_state[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

static const uint32_t round_constants[ROUNDS] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw"))), apply_to = function)

FS_INLINE lanes from_big_endian(lanes x) {
    return (ROTATED(x, 8) & 0xff00ff00) | (ROTATED(x, 24) & 0x00ff00ff);
}

// Rows become columns: four words of four rows within each quarter of a register, then the quarters.
FS_INLINE void transpose(lanes r[WORDS]) {
    lanes t[WORDS];
    for (int i = 0; i < WORDS; i += 2) {
        t[i] = __builtin_shufflevector(
            r[i], r[i + 1], 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29);
        t[i + 1] = __builtin_shufflevector(
            r[i], r[i + 1], 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31);
    }
    for (int i = 0; i < WORDS; i += 4) {
        for (int j = 0; j < 2; j++) {
            lane_pairs low = (lane_pairs)t[i + j], high = (lane_pairs)t[i + j + 2];
            r[i + 2 * j] = (lanes)__builtin_shufflevector(low, high, 0, 8, 2, 10, 4, 12, 6, 14);
            r[i + 2 * j + 1] = (lanes)__builtin_shufflevector(low, high, 1, 9, 3, 11, 5, 13, 7, 15);
        }
    }
    for (int half = 0; half < WORDS; half += 8) {
        for (int i = 0; i < 4; i++) {
            lane_pairs low = (lane_pairs)r[half + i], high = (lane_pairs)r[half + i + 4];
            t[half + i] = (lanes)__builtin_shufflevector(low, high, 0, 1, 4, 5, 8, 9, 12, 13);
            t[half + i + 4] = (lanes)__builtin_shufflevector(low, high, 2, 3, 6, 7, 10, 11, 14, 15);
        }
    }
    for (int i = 0; i < 8; i++) {
        lane_pairs low = (lane_pairs)t[i], high = (lane_pairs)t[i + 8];
        r[i] = (lanes)__builtin_shufflevector(low, high, 0, 1, 4, 5, 8, 9, 12, 13);
        r[i + 8] = (lanes)__builtin_shufflevector(low, high, 2, 3, 6, 7, 10, 11, 14, 15);
    }
}

// FIPS 180-4, 6.2.2, of a message block of every lane.
FS_INLINE void compress(lanes state[8], lanes w[WORDS]) {
    lanes a = state[0], b = state[1], c = state[2], d = state[3];
    lanes e = state[4], f = state[5], g = state[6], h = state[7];
#pragma clang loop unroll(full)
    for (int i = 0; i < ROUNDS; i++) {
        if (i >= WORDS) {
            lanes x = w[(i + 1) % WORDS], y = w[(i + 14) % WORDS];
            lanes s0 = ROTATED(x, 7) ^ ROTATED(x, 18) ^ x >> 3;
            lanes s1 = ROTATED(y, 17) ^ ROTATED(y, 19) ^ y >> 10;
            w[i % WORDS] += s0 + w[(i + 9) % WORDS] + s1;
        }
        lanes choice = (e & f) ^ (~e & g), majority = (a & b) ^ (a & c) ^ (b & c);
        lanes t1 = h + (ROTATED(e, 6) ^ ROTATED(e, 11) ^ ROTATED(e, 25)) + choice
            + (round_constants[i] + w[i % WORDS]);
        lanes t2 = (ROTATED(a, 2) ^ ROTATED(a, 13) ^ ROTATED(a, 22)) + majority;
        h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
    state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

static void hash_side_by_side(const unsigned char *bytes, size_t byte_count, unsigned char *digests) {
    lanes state[8], w[WORDS];
    for (int i = 0; i < 8; i++) {
        state[i] = (lanes){} + initial_state[i];
    }
    for (size_t position = 0; position < byte_count; position += sizeof(lanes)) {
        for (size_t i = 0; i < BLOCKS; i++) {
            memcpy(&w[i], bytes + i * byte_count + position, sizeof(lanes));
        }
        transpose(w);
        for (int i = 0; i < WORDS; i++) {
            w[i] = from_big_endian(w[i]);
        }
        compress(state, w);
    }
    // The padding is a message block of its own: a one, noughts, the number of bits.
    for (int i = 0; i < WORDS; i++) {
        w[i] = (lanes){};
    }
    w[0] += 0x80000000u;
    w[14] += (uint32_t)((uint64_t)byte_count * 8 >> 32);
    w[15] += (uint32_t)(byte_count * 8);
    compress(state, w);
    for (size_t i = 0; i < 8; i++) {
        lanes words = from_big_endian(state[i]);
        for (size_t block = 0; block < BLOCKS; block++) {
            memcpy(digests + block * FS_SHA256_BYTES + 4 * i, (uint32_t *)&words + block, 4);
        }
    }
}

#pragma clang attribute pop

#pragma clang attribute push(__attribute__((target("sha,ssse3"))), apply_to = function)

enum { PAIR = 2 };

// A block's state in the order of the instructions: words a, b, e, f and c, d, g, h, the first in the highest lane.
typedef struct {
    __m128i abef, cdgh;
} pair_state;

// FIPS 180-4, 6.2.2, of a message block of each of two blocks.
FS_INLINE void compress_pair(pair_state state[PAIR], const unsigned char *const message[PAIR]) {
    const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    __m128i w[PAIR][4];
    pair_state s[PAIR];
    for (int block = 0; block < PAIR; block++) {
        s[block] = state[block];
        for (int i = 0; i < 4; i++) {
            __m128i words = _mm_loadu_si128((const __m128i *)message[block] + i);
            w[block][i] = _mm_shuffle_epi8(words, big_endian);
        }
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < ROUNDS / 4; i++) {
        const __m128i constants = _mm_loadu_si128((const __m128i *)round_constants + i);
        for (int block = 0; block < PAIR; block++) {
            __m128i *words = &w[block][i % 4], last = w[block][(i + 3) % 4];
            if (i >= 4) {
                __m128i sum = _mm_sha256msg1_epu32(*words, w[block][(i + 1) % 4]);
                sum = _mm_add_epi32(sum, _mm_alignr_epi8(last, w[block][(i + 2) % 4], 4));
                *words = _mm_sha256msg2_epu32(sum, last);
            }
            const __m128i sums = _mm_add_epi32(*words, constants);
            s[block].cdgh = _mm_sha256rnds2_epu32(s[block].cdgh, s[block].abef, sums);
            s[block].abef = _mm_sha256rnds2_epu32(s[block].abef, s[block].cdgh, _mm_unpackhi_epi64(sums, sums));
        }
    }
    for (int block = 0; block < PAIR; block++) {
        state[block].abef = _mm_add_epi32(state[block].abef, s[block].abef);
        state[block].cdgh = _mm_add_epi32(state[block].cdgh, s[block].cdgh);
    }
}

static void hash_pair(const unsigned char *bytes, size_t byte_count, unsigned char *digests) {
    const uint32_t *h = initial_state;
    pair_state state[PAIR];
    for (int block = 0; block < PAIR; block++) {
        state[block].abef = _mm_setr_epi32((int)h[5], (int)h[4], (int)h[1], (int)h[0]);
        state[block].cdgh = _mm_setr_epi32((int)h[7], (int)h[6], (int)h[3], (int)h[2]);
    }
    for (size_t position = 0; position < byte_count; position += MESSAGE_BYTES) {
        compress_pair(state, (const unsigned char *[]){bytes + position, bytes + byte_count + position});
    }
    unsigned char padding[MESSAGE_BYTES] = {0x80};
    const uint64_t bit_count = __builtin_bswap64((uint64_t)byte_count * 8);
    memcpy(padding + MESSAGE_BYTES - sizeof bit_count, &bit_count, sizeof bit_count);
    compress_pair(state, (const unsigned char *[]){padding, padding});
    const __m128i reversed = _mm_set_epi64x(0x0001020304050607, 0x08090a0b0c0d0e0f);
    for (int block = 0; block < PAIR; block++) {
        const __m128i abcd = _mm_unpackhi_epi64(state[block].cdgh, state[block].abef);
        const __m128i efgh = _mm_unpacklo_epi64(state[block].cdgh, state[block].abef);
        __m128i *digest = (__m128i *)(digests + block * FS_SHA256_BYTES);
        _mm_storeu_si128(digest, _mm_shuffle_epi8(abcd, reversed));
        _mm_storeu_si128(digest + 1, _mm_shuffle_epi8(efgh, reversed));
    }
}

static void hash_by_pairs(const unsigned char *bytes, size_t byte_count, unsigned char *digests) {
    for (size_t block = 0; block < BLOCKS; block += PAIR) {
        hash_pair(bytes + block * byte_count, byte_count, digests + block * FS_SHA256_BYTES);
    }
}

#pragma clang attribute pop

#endif

int fs_sha256_blocks(
    fs_isa isa, const void *bytes, size_t byte_count, size_t group_count, unsigned char *digests) {
#if defined(__x86_64__)
    void (*hash_group)(const unsigned char *, size_t, unsigned char *) = NULL;
    if (isa == FS_ISA_AVX512) {
        hash_group = hash_side_by_side;
    } else if (isa == FS_ISA_AVX2 && __builtin_cpu_supports("sha")) {
        hash_group = hash_by_pairs;
    }
    if (hash_group != NULL && byte_count % MESSAGE_BYTES == 0) {
        for (size_t i = 0; i < group_count; i++) {
            const unsigned char *group = (const unsigned char *)bytes + i * BLOCKS * byte_count;
            hash_group(group, byte_count, digests + i * BLOCKS * FS_SHA256_BYTES);
        }
        return 1;
    }
#endif
    return 0;
}
