// Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3",
// SC 2011).

#include "CKernels.h"
#include "clones.h"

#include <math.h>

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

// Two words to two independent normals.
FS_INLINE void box_muller(uint32_t word1, uint32_t word2, float *first, float *second) {
    double radius = sqrt(-2.0 * log((double)uniform(word1)));
    double angle = 0x1.921fb54442d18p2 * (double)uniform(word2);
    *first = (float)(radius * cos(angle));
    *second = (float)(radius * sin(angle));
}

void fs_random_normal(uint64_t key, uint64_t stream, uint64_t first_block, float *x, size_t count) {
    for (size_t i = 0; 4 * i < count; i++) {
        block b = stream_block(key, stream, first_block + i);
        float z[4];
        box_muller(b.word[0], b.word[1], &z[0], &z[1]);
        box_muller(b.word[2], b.word[3], &z[2], &z[3]);
        for (size_t j = 0; j < 4 && 4 * i + j < count; j++) {
            x[4 * i + j] = z[j];
        }
    }
}
