// Kernels for AVX2 and FMA: 16 registers of 8 floats.

#include "blocks.h"
#include "isa.h"

#if defined(__x86_64__)

#define LANES 8
#define ROWS 6
#define BLOCK_ROWS 192
#define BLOCK_DEPTH 384
#define FS(name) fs_avx2_##name

#pragma clang attribute push(__attribute__((target("avx2,fma,prfchw"))), apply_to = function)
#include "vectors.h"

#include "tile.h"

#include "transpose.h"

#include "product_kernel.h"

#include "attention_rows.h"

#include "attention_kernel.h"
#pragma clang attribute pop

const isa_kernels isa_avx2 = {
    .product = FS(product),
    .packed_size = FS(packed_size),
    .pack = FS(pack),
    .attention_forward = FS(attention_forward),
    .attention_backward = FS(attention_backward),
    .attention_workspace = FS(attention_workspace),
};

#endif
