// Kernels for AVX-512: 32 registers of 16 floats. CPUs that have it have at least 1 MiB of second-level cache.

#include "blocks.h"
#include "isa.h"

#if defined(__x86_64__)

#define LANES 16
#define ROWS 12
#define BLOCK_ROWS 576
#define BLOCK_DEPTH 256
#define FS(name) fs_avx512_##name

#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma,prfchw"))), apply_to = function)
#include "vectors.h"

#include "tile.h"

#include "transpose.h"

#include "product_kernel.h"

#include "attention_rows.h"

#include "attention_kernel.h"
#pragma clang attribute pop

const isa_kernels isa_avx512 = {
    .product = FS(product),
    .packed_size = FS(packed_size),
    .pack = FS(pack),
    .attention_forward = FS(attention_forward),
    .attention_backward = FS(attention_backward),
    .attention_workspace = FS(attention_workspace),
};

#endif
