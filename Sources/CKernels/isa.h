#ifndef FLOWSTEER_ISA_H
#define FLOWSTEER_ISA_H

// Kernels that are written in vectors of a given width exist once for each instruction set; the rest of the
// house asks for the best one that this CPU has.

#include "CKernels.h"

// What one instruction set has; those in bfloat16 stand apart, since most have none.
typedef struct {
    void (*product)(const fs_product_arguments *, float *workspace);
    size_t (*packed_size)(size_t n, size_t k);
    void (*pack)(const fs_right_matrix *, size_t n, size_t k, float *panels);
    void (*product_bf16)(const fs_product_arguments *, float *workspace);
    size_t (*packed_size_bf16)(size_t n, size_t k);
    void (*pack_bf16)(const fs_right_matrix *, size_t n, size_t k, float *panels);
    void (*attention_forward)(const fs_attention_arguments *, float *workspace);
    void (*attention_backward)(const fs_attention_arguments *, float *workspace);
    size_t (*attention_workspace)(const fs_attention_arguments *);
    void (*attention_forward_bf16)(const fs_attention_arguments *, float *workspace);
    void (*attention_backward_bf16)(const fs_attention_arguments *, float *workspace);
    size_t (*attention_workspace_bf16)(const fs_attention_arguments *);
    void (*modulate_to_pairs)(
        const float *x, float mean, float rstd, const float *scale, const float *shift, size_t columns, uint32_t *y);
} isa_kernels;

extern const isa_kernels isa_portable;
#if defined(__x86_64__)
extern const isa_kernels isa_avx2;
extern const isa_kernels isa_avx512;
extern const isa_kernels isa_avx512_bf16;
#endif

// Kernels of an instruction set; of the next lower one that exists where the CPU lacks it.
const isa_kernels *isa_kernels_of(fs_isa isa);
// Those in bfloat16.
const isa_kernels *bf16_kernels_of(fs_isa isa);

#endif
