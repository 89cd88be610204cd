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
#define ROUNDED_PAIRS(row) \
    ((FS(pairs))_mm512_cvtne2ps_pbh(_mm512_loadu_ps((row) + LANES), _mm512_loadu_ps(row)))
#include "product_bf16_kernel.h"
#pragma clang attribute pop

const isa_kernels isa_avx512_bf16 = {
    .product_bf16 = FS(product_bf16), .packed_size_bf16 = FS(packed_size_bf16), .pack_bf16 = FS(pack_bf16)};

#endif
