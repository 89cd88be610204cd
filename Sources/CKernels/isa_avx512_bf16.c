// Products of bfloat16 pairs on AVX512-BF16.

#include "blocks.h"
#include "isa.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define LANES 16
#define ROWS 12
#define BLOCK_ROWS 576
#define BLOCK_DEPTH 256
#define FS(name) fs_avx512_bf16_##name

#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,fma"))), apply_to = function)
#include "vectors.h"

#define DOT_PAIRS(sums, x, y) \
    ((FS(vector))_mm512_dpbf16_ps((__m512)(sums), (__m512bh)(x), (__m512bh)(y)))
// Subnormal numbers become zero, which the products take them for anyway.
#define ROUNDED_PAIRS(first, second) ((FS(pairs))_mm512_cvtne2ps_pbh((__m512)(second), (__m512)(first)))
static const union {
    uint16_t words[32];
    __m512i vector;
} in_turns = {{0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14,
               30, 15, 31}};
// Words of two rows in turns: the first row's are the lower half of what is permuted.
#define PAIRED_ROWS(low, high) \
    ((FS(pairs))_mm512_permutexvar_epi16(in_turns.vector, (__m512i)ROUNDED_PAIRS(low, high)))

// 2^x, relative error 8e-5: 2^(k + r) with k whole and 0 <= r < 1. Infinite from 2^128 on.
FS_INLINE FS(vector) FS(power_of_two)(FS(vector) x) {
    FS(vector) r = (FS(vector))_mm512_reduce_ps((__m512)x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
    FS(vector) power = (0x1.3f96a4p-4f * r + 0x1.cefc4cp-3f) * r + 0x1.64444cp-1f;
    power = power * r + 0x1.fff632p-1f;
    // Takes x for k.
    return (FS(vector))_mm512_scalef_ps((__m512)power, (__m512)x);
}
#define POWER_OF_TWO FS(power_of_two)
// Relative errors 2^-14.
#define RECIPROCAL(x) ((FS(vector))_mm512_rcp14_ps((__m512)(x)))
#define RECIPROCAL_ROOT(x) ((FS(vector))_mm512_rsqrt14_ps((__m512)(x)))

// Sums of 16 vectors, halves folded upon halves: every step brings twice as many rows into a vector.
FS_INLINE FS(vector) FS(row_sums)(const FS(vector) rows[LANES]) {
    __m512 fours[4];
    for (int i = 0; i < 4; i++) {
        __m512 a = (__m512)rows[4 * i], b = (__m512)rows[4 * i + 1];
        __m512 c = (__m512)rows[4 * i + 2], d = (__m512)rows[4 * i + 3];
        __m512 ab = _mm512_unpacklo_ps(a, b) + _mm512_unpackhi_ps(a, b);
        __m512 cd = _mm512_unpacklo_ps(c, d) + _mm512_unpackhi_ps(c, d);
        fours[i] = _mm512_shuffle_ps(ab, cd, 0x44) + _mm512_shuffle_ps(ab, cd, 0xee);
    }
    __m512 low = _mm512_shuffle_f32x4(fours[0], fours[1], 0x88) + _mm512_shuffle_f32x4(fours[0], fours[1], 0xdd);
    __m512 high = _mm512_shuffle_f32x4(fours[2], fours[3], 0x88) + _mm512_shuffle_f32x4(fours[2], fours[3], 0xdd);
    return (FS(vector))(_mm512_shuffle_f32x4(low, high, 0x88) + _mm512_shuffle_f32x4(low, high, 0xdd));
}
#define ROW_SUMS FS(row_sums)
#include "product_bf16_kernel.h"

#include "product_bf16_blocks.h"

#include "transpose.h"

#include "attention_rows.h"

#include "attention_bf16_rows.h"

#include "attention_bf16_kernel.h"

#include "normalization_bf16.h"
#pragma clang attribute pop

const isa_kernels isa_avx512_bf16 = {
    .product_bf16 = FS(product_bf16),
    .packed_size_bf16 = FS(packed_size_bf16),
    .pack_bf16 = FS(pack_bf16),
    .attention_forward_bf16 = FS(attention_forward_bf16),
    .attention_backward_bf16 = FS(attention_backward_bf16),
    .attention_workspace_bf16 = FS(attention_workspace_bf16),
    .modulate_to_pairs = FS(modulate_to_pairs),
};

#endif
