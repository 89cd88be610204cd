// Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
// SC 2011).

#include "CKernels.h"
#include "clones.h"
#include "fast_math.h"

#include <math.h>
#include <string.h>

typedef struct {
    uint32_t word[4];
} block;

FS_INLINE block philox(uint32_t key0, uint32_t key1, block counter) {
    block x = counter;
    for (int round = 0; round < 10; round++) {
        uint64_t even = (uint64_t)0xD2511F53u * x.word[0];
        uint64_t odd = (uint64_t)0xCD9E8D57u * x.word[2];
        x = (block){{
            (uint32_t)(odd >> 32) ^ x.word[1] ^ key0,
            (uint32_t)odd,
            (uint32_t)(even >> 32) ^ x.word[3] ^ key1,
            (uint32_t)even,
        }};
        key0 += 0x9E3779B9u;
        key1 += 0xBB67AE85u;
    }
    return x;
}

FS_INLINE block stream_block(uint64_t key, uint64_t stream, uint64_t index) {
    block counter = {{(uint32_t)index, (uint32_t)(index >> 32), (uint32_t)stream, (uint32_t)(stream >> 32)}};
    return philox((uint32_t)key, (uint32_t)(key >> 32), counter);
}

void fs_philox4x32(const uint32_t key[2], const uint32_t counter[4], uint32_t output[4]) {
    block result = philox(key[0], key[1], (block){{counter[0], counter[1], counter[2], counter[3]}});
    for (int i = 0; i < 4; i++) {
        output[i] = result.word[i];
    }
}

FS_INLINE float uniform(uint32_t word) {
    return (float)((word >> 8) + 1) * 0x1p-24f;
}

void fs_random_uniform(uint64_t key, uint64_t stream, uint64_t first_block, float *x, size_t count) {
    size_t whole = count / 4;
    for (size_t i = 0; i < whole; i++) {
        block b = stream_block(key, stream, first_block + i);
        for (size_t j = 0; j < 4; j++) {
            x[4 * i + j] = uniform(b.word[j]);
        }
    }
    block b = stream_block(key, stream, first_block + whole);
    for (size_t j = 4 * whole; j < count; j++) {
        x[j] = uniform(b.word[j % 4]);
    }
}

// log(x) for 0 < x <= 1, relative error 1e-15: x = 2^e m with m around 1, and log(m) = 2 artanh((m - 1) / (m + 1)).
FS_INLINE double log_of_uniform(float x) {
    int32_t e = (int32_t)(fs_to_bits(x) - fs_to_bits(0x1.6a09e6p-1f)) >> 23;
    double m = (double)fs_from_bits(fs_to_bits(x) - ((uint32_t)e << 23));
    double s = (m - 1.0) / (m + 1.0), z = s * s;
    double q = 1.0 / 19;
    q = q * z + 1.0 / 17;
    q = q * z + 1.0 / 15;
    q = q * z + 1.0 / 13;
    q = q * z + 1.0 / 11;
    q = q * z + 1.0 / 9;
    q = q * z + 1.0 / 7;
    q = q * z + 1.0 / 5;
    q = q * z + 1.0 / 3;
    return e * 0x1.62e42fefa39efp-1 + 2.0 * (s + s * z * q);
}

// Sine and cosine for |x| <= pi / 4, relative error 1e-15: Taylor's series.
FS_INLINE double sine(double x) {
    double z = x * x;
    double q = -1.0 / 1307674368000;
    q = q * z + 1.0 / 6227020800;
    q = q * z - 1.0 / 39916800;
    q = q * z + 1.0 / 362880;
    q = q * z - 1.0 / 5040;
    q = q * z + 1.0 / 120;
    q = q * z - 1.0 / 6;
    return x + x * z * q;
}

FS_INLINE double cosine(double x) {
    double z = x * x;
    double q = 1.0 / 20922789888000;
    q = q * z - 1.0 / 87178291200;
    q = q * z + 1.0 / 479001600;
    q = q * z - 1.0 / 3628800;
    q = q * z + 1.0 / 40320;
    q = q * z - 1.0 / 720;
    q = q * z + 1.0 / 24;
    return 1.0 - 0.5 * z + z * z * q;
}

// Two words to two independent normals (Box & Muller 1958), computed in double precision.
FS_INLINE void box_muller(uint32_t word1, uint32_t word2, float *first, float *second) {
    double radius = sqrt(-2.0 * log_of_uniform(uniform(word1)));
    // The angle, a whole number of 2^-24 turns, as quarter turns and what is left, half a quarter at most.
    int32_t turn = (int32_t)(word2 >> 8) + 1;
    int32_t quarters = (turn + (1 << 21)) >> 22;
    double rest = 0x1.921fb54442d18p-22 * (double)(turn - (quarters << 22));
    double s = sine(rest), c = cosine(rest);
    double x = quarters & 1 ? -s : c, y = quarters & 1 ? c : s;
    double sign = quarters & 2 ? -radius : radius;
    *first = (float)(sign * x);
    *second = (float)(sign * y);
}

// Blocks whose words are drawn before any of them becomes normals, in vectors of several.
#define NORMAL_BLOCKS 32

FS_CLONES
void fs_random_normal(uint64_t key, uint64_t stream, uint64_t first_block, float *x, size_t count) {
    for (size_t start = 0; start < count; start += 4 * NORMAL_BLOCKS) {
        uint32_t word1[2 * NORMAL_BLOCKS], word2[2 * NORMAL_BLOCKS];
        float z[4 * NORMAL_BLOCKS];
        for (size_t i = 0; i < NORMAL_BLOCKS; i++) {
            block b = stream_block(key, stream, first_block + start / 4 + i);
            word1[2 * i] = b.word[0];
            word2[2 * i] = b.word[1];
            word1[2 * i + 1] = b.word[2];
            word2[2 * i + 1] = b.word[3];
        }
        FS_INDEPENDENT
        for (size_t i = 0; i < 2 * NORMAL_BLOCKS; i++) {
            box_muller(word1[i], word2[i], z + 2 * i, z + 2 * i + 1);
        }
        size_t kept = count - start < 4 * NORMAL_BLOCKS ? count - start : 4 * NORMAL_BLOCKS;
        memcpy(x + start, z, kept * sizeof *x);
    }
}
