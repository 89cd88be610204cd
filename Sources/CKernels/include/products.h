#ifndef FLOWSTEER_PRODUCTS_H
#define FLOWSTEER_PRODUCTS_H

// Matrix products and attention; the rules of CKernels.h hold.

#include <stddef.h>
#include <stdint.h>

// ---- isa.c ------------------------------------------------------------------------------------------------
// Products and attention are written in vectors of a fixed width, once for each instruction set.

typedef enum {
    FS_ISA_PORTABLE = 0,      // whatever the compiler targets
    FS_ISA_AVX2 = 1,          // AVX2 and FMA
    FS_ISA_AVX512 = 2,        // AVX-512 F, BW, DQ, VL
} fs_isa;

// The best instruction set of this CPU.
fs_isa fs_best_isa(void);
// True where the CPU multiplies bfloat16 (AVX512-BF16), twice as fast as float32.
int fs_has_bf16_products(void);

typedef enum { FS_FLOAT32 = 0, FS_BFLOAT16 = 1 } fs_scalar;

// The right-hand matrix of a product: element (p, j) at elements[p * row_stride + j * column_stride], one of the
// two strides 1.
typedef struct {
    const void *elements;
    fs_scalar type;
    size_t row_stride, column_stride;
} fs_right_matrix;

// C[m, n] = A[m, k] B[k, n] + tail_a[m, tail_k] tail_b[tail_k, n] + bias[n], or C += when `adding`; A(i, p) at
// a[i * a_row_stride + p * a_column_stride], one of the two strides 1. Sums are in float32, in an order that
// depends on k, tail_k and is_narrow alone: a row of C is the same in whatever company.
typedef struct {
    const float *a;
    // For fs_product_bf16, instead of a: rows of bfloat16, two numbers to an element, the lower half first, and 0
    // behind an odd last one; a_row_stride elements apart.
    const uint32_t *a_pairs;
    size_t a_row_stride, a_column_stride;
    fs_right_matrix b;
    const float *panels;   // B as fs_pack left it; NULL: packed as needed
    // For fs_product_bf16 without panels: those of a matrix of turned_k rows whose transpose, from column
    // turned_first (a multiple of 32) on, is B.
    const float *turned;
    size_t turned_k, turned_first;
    float *c;
    // Instead of c, of a_pairs and panels, never `adding`: the product through FS_GELU_TANH, laid out as a_pairs is.
    uint32_t *gelu_pairs;
    size_t c_stride;
    size_t m, n, k;
    const float *bias;   // may be NULL
    int adding;
    // C += gates (A B + bias), element by element, for fs_product_bf16 of panels and `adding`: row i is multiplied by
    // row (gate_start + i) / rows_per_gate of gates, which lie gate_stride apart. NULL: by 1.
    const float *gates;
    size_t gate_stride, gate_start, rows_per_gate;
    int is_narrow;   // few rows: B is read once and never packed; A's and B's rows along k must be contiguous
    const float *tail_a;   // contiguous along tail_k
    size_t tail_a_row_stride;
    fs_right_matrix tail_b;
    size_t tail_k;   // 0: no tail
} fs_product_arguments;

// Floats of workspace that a product needs.
size_t fs_product_workspace(size_t n, size_t k, size_t tail_k);
// `isa` may be any that fs_best_isa allows.
void fs_product(fs_isa isa, const fs_product_arguments *arguments, float *workspace);

// Floats of a B[k, n] packed once for many products on this instruction set.
size_t fs_packed_size(fs_isa isa, size_t n, size_t k);
void fs_pack(fs_isa isa, const fs_right_matrix *b, size_t n, size_t k, float *panels);

// The same with A and B rounded to bfloat16, sums in float32; B must be packed, or its transpose. FS_ISA_AVX512 needs
// fs_has_bf16_products; the others spell the arithmetic out, slowly. They take no tail.
size_t fs_packed_size_bf16(fs_isa isa, size_t n, size_t k);
void fs_pack_bf16(fs_isa isa, const fs_right_matrix *b, size_t n, size_t k, float *panels);
void fs_product_bf16(fs_isa isa, const fs_product_arguments *arguments, float *workspace);

// Tokens of one stream: `tokens` rows of heads * width floats, `stride` apart.
typedef struct {
    const float *rows;
    size_t stride, tokens;
} fs_token_rows;

typedef struct {
    float *rows;
    size_t stride, tokens;
} fs_token_results;

enum { FS_ATTENTION_STREAMS = 2 };

// One head of one sample; the pointers name the head's first column. The tokens of all streams attend to each
// other: output = softmax(scale (Q K^T + bias)) V.
typedef struct {
    size_t streams, query_streams, width;
    float scale;
    int causal;   // a token sees itself and earlier ones only
    // bias[query, key] = position_bias[key - query]: points at the value of distance 0; NULL: no bias.
    const float *position_bias;
    fs_token_rows queries[FS_ATTENTION_STREAMS], keys[FS_ATTENTION_STREAMS], values[FS_ATTENTION_STREAMS];
    fs_token_results outputs[FS_ATTENTION_STREAMS];
    // [query tokens]: log sum exp of each row of scores; written forward, read backward. NULL: not wanted.
    float *log_sums;
    // Forward with rounded factors alone, and of a width that is a multiple of 32. What a stream's queries or keys are
    // normalised with before, x / sqrt(mean(x^2) + norm_epsilon) * norm; NULL: they are normalised already.
    const float *query_norms[FS_ATTENTION_STREAMS], *key_norms[FS_ATTENTION_STREAMS];
    float norm_epsilon;
    int rounds_outputs;   // outputs are rows of pairs of bfloat16, two numbers to an element, of which strides count
    // Backward only: gradients of the outputs, and those of the inputs, which are added to; rows NULL: not wanted.
    fs_token_rows doutputs[FS_ATTENTION_STREAMS];
    fs_token_results dqueries[FS_ATTENTION_STREAMS], dkeys[FS_ATTENTION_STREAMS], dvalues[FS_ATTENTION_STREAMS];
} fs_attention_arguments;

// Floats of workspace that either direction needs; grows with tokens, not with their square.
size_t fs_attention_workspace(fs_isa isa, const fs_attention_arguments *arguments);
void fs_attention_forward(fs_isa isa, const fs_attention_arguments *arguments, float *workspace);
void fs_attention_backward(fs_isa isa, const fs_attention_arguments *arguments, float *workspace);
// The same with the factors of products rounded to bfloat16; softmax and sums in float32.
size_t fs_attention_workspace_bf16(fs_isa isa, const fs_attention_arguments *arguments);
void fs_attention_forward_bf16(fs_isa isa, const fs_attention_arguments *arguments, float *workspace);
void fs_attention_backward_bf16(fs_isa isa, const fs_attention_arguments *arguments, float *workspace);

// fs_layer_norm_modulate_forward with y rounded to bfloat16, in rows as a_pairs of a product has them, one after
// another; scale and shift are wanted. Of the instruction sets of fs_product_bf16.
void fs_layer_norm_modulate_pairs(
    fs_isa isa, const float *x, const float *shift, const float *scale, size_t stride, uint32_t *y, size_t rows,
    size_t columns, size_t rows_per_sample, float epsilon);

#endif
