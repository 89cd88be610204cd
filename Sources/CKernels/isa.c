// Which instruction set runs.

#include "isa.h"

#include "blocks.h"

fs_isa fs_best_isa(void) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
        return FS_ISA_AVX512;
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        return FS_ISA_AVX2;
    }
#endif
    return FS_ISA_PORTABLE;
}

int fs_has_bf16_products(void) {
#if defined(__x86_64__)
    return fs_best_isa() == FS_ISA_AVX512 && __builtin_cpu_supports("avx512bf16");
#else
    return 0;
#endif
}

const isa_kernels *bf16_kernels_of(fs_isa isa) {
#if defined(__x86_64__)
    if (isa == FS_ISA_AVX512) {
        return &isa_avx512_bf16;
    }
#endif
    return &isa_portable;
}

const isa_kernels *isa_kernels_of(fs_isa isa) {
#if defined(__x86_64__)
    if (isa == FS_ISA_AVX512) {
        return &isa_avx512;
    }
    if (isa == FS_ISA_AVX2) {
        return &isa_avx2;
    }
#endif
    return &isa_portable;
}

size_t fs_product_workspace(size_t n, size_t k, size_t tail_k) {
    // A narrow product's tail is a product of its own, which packs no more than the tail's panels take.
    return LARGEST_BLOCK + tail_size(n, tail_k) + packed_columns(n, k) * k;
}

void fs_product(fs_isa isa, const fs_product_arguments *arguments, float *workspace) {
    isa_kernels_of(isa)->product(arguments, workspace);
}

size_t fs_packed_size(fs_isa isa, size_t n, size_t k) {
    return isa_kernels_of(isa)->packed_size(n, k);
}

void fs_pack(fs_isa isa, const fs_right_matrix *b, size_t n, size_t k, float *panels) {
    isa_kernels_of(isa)->pack(b, n, k, panels);
}

void fs_product_bf16(fs_isa isa, const fs_product_arguments *arguments, float *workspace) {
    bf16_kernels_of(isa)->product_bf16(arguments, workspace);
}

size_t fs_packed_size_bf16(fs_isa isa, size_t n, size_t k) {
    return bf16_kernels_of(isa)->packed_size_bf16(n, k);
}

void fs_pack_bf16(fs_isa isa, const fs_right_matrix *b, size_t n, size_t k, float *panels) {
    bf16_kernels_of(isa)->pack_bf16(b, n, k, panels);
}

size_t fs_attention_workspace(fs_isa isa, const fs_attention_arguments *arguments) {
    return isa_kernels_of(isa)->attention_workspace(arguments);
}

void fs_attention_forward(fs_isa isa, const fs_attention_arguments *arguments, float *workspace) {
    isa_kernels_of(isa)->attention_forward(arguments, workspace);
}

void fs_attention_backward(fs_isa isa, const fs_attention_arguments *arguments, float *workspace) {
    isa_kernels_of(isa)->attention_backward(arguments, workspace);
}

size_t fs_attention_workspace_bf16(fs_isa isa, const fs_attention_arguments *arguments) {
    return bf16_kernels_of(isa)->attention_workspace_bf16(arguments);
}

void fs_attention_forward_bf16(fs_isa isa, const fs_attention_arguments *arguments, float *workspace) {
    bf16_kernels_of(isa)->attention_forward_bf16(arguments, workspace);
}

void fs_attention_backward_bf16(fs_isa isa, const fs_attention_arguments *arguments, float *workspace) {
    bf16_kernels_of(isa)->attention_backward_bf16(arguments, workspace);
}
