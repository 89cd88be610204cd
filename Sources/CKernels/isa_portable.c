// Kernels for whatever the compiler targets: vectors of 4 floats are SSE2 on x86-64 and NEON on arm64.

#include "blocks.h"
#include "isa.h"

#define LANES 4
#if defined(__aarch64__)
#define ROWS 8
#else
#define ROWS 4
#endif
#define BLOCK_ROWS 192
#define BLOCK_DEPTH 384
#define FS(name) fs_portable_##name

#include "vectors.h"

#include "tile.h"

#include "transpose.h"

#include "product_kernel.h"

#include "attention_rows.h"

#include "attention_kernel.h"

// The arithmetic of AVX512-BF16 spelled out: what CPUs without it, and tests of its layout, run.
static inline float low_element(uint32_t pair) {
    return fs_from_bits(pair << 16);
}

static inline float high_element(uint32_t pair) {
    return fs_from_bits(pair & 0xffff0000u);
}
typedef float portable_sums __attribute__((ext_vector_type(LANES), aligned(4), may_alias));
typedef uint32_t portable_pairs __attribute__((ext_vector_type(LANES), aligned(4), may_alias));

FS_INLINE portable_sums dot_pairs(portable_sums sums, portable_pairs x, portable_pairs y) {
    for (int lane = 0; lane < LANES; lane++) {
        sums[lane] += low_element(x[lane]) * low_element(y[lane]);
        sums[lane] += high_element(x[lane]) * high_element(y[lane]);
    }
    return sums;
}

#define DOT_PAIRS dot_pairs
#include "product_bf16_kernel.h"

#include "product_bf16_blocks.h"

#include "attention_bf16_rows.h"

#include "attention_bf16_kernel.h"

#include "normalization_bf16.h"

const isa_kernels isa_portable = {
    .product = FS(product),
    .packed_size = FS(packed_size),
    .pack = FS(pack),
    .product_bf16 = FS(product_bf16),
    .packed_size_bf16 = FS(packed_size_bf16),
    .pack_bf16 = FS(pack_bf16),
    .attention_forward = FS(attention_forward),
    .attention_backward = FS(attention_backward),
    .attention_workspace = FS(attention_workspace),
    .attention_forward_bf16 = FS(attention_forward_bf16),
    .attention_backward_bf16 = FS(attention_backward_bf16),
    .attention_workspace_bf16 = FS(attention_workspace_bf16),
    .modulate_to_pairs = FS(modulate_to_pairs),
};
