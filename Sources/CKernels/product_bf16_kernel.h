// C = A B with A and B rounded to bfloat16 and sums in float32, for one instruction set; blocked like the product
// in float32. Both factors are read in pairs along k, a pair to 32 bits, the lower element first: the form that
// AVX512-BF16 multiplies. Included after vectors.h and after defining
//   DOT_PAIRS(sums, x, y)  sums + x.low * y.low + x.high * y.high, a float each 32-bit lane
//   ROUNDED_PAIRS(row)     2 * LANES floats as LANES pairs; left out where no instruction does it

typedef uint32_t FS(pairs) __attribute__((ext_vector_type(LANES), aligned(4), may_alias));

// To nearest even; NaN stays NaN.
FS_INLINE uint32_t FS(bfloat16_bits)(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint32_t rounded = (bits + 0x7fffu + (bits >> 16 & 1)) >> 16;
    return (bits & 0x7fffffffu) > 0x7f800000u ? (bits >> 16 | 0x40u) : rounded;
}

FS_INLINE uint32_t FS(pair)(float low, float high) {
    return FS(bfloat16_bits)(low) | FS(bfloat16_bits)(high) << 16;
}

#ifndef ROUNDED_PAIRS
FS_INLINE FS(pairs) FS(rounded_pairs)(const float *row) {
    FS(pairs) result;
    for (size_t lane = 0; lane < LANES; lane++) {
        result[lane] = FS(pair)(row[2 * lane], row[2 * lane + 1]);
    }
    return result;
}
#define ROUNDED_PAIRS FS(rounded_pairs)
#endif

FS_INLINE size_t FS(pair_count)(size_t k) {
    return (k + 1) / 2;
}

// Panels of COLUMNS columns, each pair_count(k) rows of pairs; what is missing is zero.
static void FS(pack_bf16)(const fs_right_matrix *b, size_t n, size_t k, float *panels) {
    uint32_t *target = (uint32_t *)panels;
    for (size_t first = 0; first < n; first += COLUMNS) {
        for (size_t p = 0; p < k; p += 2) {
            for (size_t j = first; j < first + COLUMNS; j++) {
                size_t index = p * b->row_stride + j * b->column_stride;
                float low = j < n ? FS(element)(b->elements, b->type, index) : 0.0f;
                float high =
                    j < n && p + 1 < k ? FS(element)(b->elements, b->type, index + b->row_stride) : 0.0f;
                *target++ = FS(pair)(low, high);
            }
        }
    }
}

static size_t FS(packed_size_bf16)(size_t n, size_t k) {
    return FS(panels)(n) * COLUMNS * FS(pair_count)(k);
}

// A block of A in pairs, row by row.
static void FS(pair_block)(
    const float *a, size_t row_stride, size_t column_stride, size_t rows, size_t k, uint32_t *restrict block) {
    for (size_t i = 0; i < rows; i++) {
        const float *row = a + i * row_stride;
        uint32_t *target = block + i * FS(pair_count)(k);
        size_t p = 0;
        if (column_stride == 1) {
            for (; p + LANES <= k / 2; p += LANES) {
                *(FS(pairs) *)(target + p) = ROUNDED_PAIRS(row + 2 * p);
            }
        }
        for (; p < k / 2; p++) {
            target[p] = FS(pair)(row[2 * p * column_stride], row[(2 * p + 1) * column_stride]);
        }
        if (k % 2) {
            target[k / 2] = FS(pair)(row[(k - 1) * column_stride], 0.0f);
        }
    }
}

typedef struct {
    const uint32_t *a;   // rows of k pairs
    const uint32_t *b;   // k rows of COLUMNS pairs
    size_t k;
    float *c;
    size_t c_stride;
    const float *bias;
    int adding;
} FS(pair_tile);

FS_INLINE void FS(multiply_pair_rows)(const FS(pair_tile) *t, size_t rows, size_t columns) {
    const uint32_t *restrict a = t->a, *restrict b = t->b;
    const float *bias = t->bias;
    float *restrict c = t->c;
    size_t k = t->k, c_stride = t->c_stride;
    // C arrives while the products are summed.
    for (size_t i = 0; i < rows; i++) {
        __builtin_prefetch(c + i * c_stride, 1);
        __builtin_prefetch(c + i * c_stride + columns - 1, 1);
    }
    FS(vector) left[ROWS] = {}, right[ROWS] = {};
    for (size_t p = 0; p < k; p++) {
        FS(pairs) b_left = *(const FS(pairs) *)(b + p * COLUMNS);
        FS(pairs) b_right = *(const FS(pairs) *)(b + p * COLUMNS + LANES);
#pragma clang loop unroll(full)
        for (size_t i = 0; i < rows; i++) {
            FS(pairs) x = a[i * k + p];
            left[i] = DOT_PAIRS(left[i], x, b_left);
            right[i] = DOT_PAIRS(right[i], x, b_right);
        }
    }
    if (columns == COLUMNS) {
        FS(vector) bias_left = bias ? *(const FS(vector) *)bias : (FS(vector)){};
        FS(vector) bias_right = bias ? *(const FS(vector) *)(bias + LANES) : (FS(vector)){};
        for (size_t i = 0; i < rows; i++) {
            FS(vector) *c_left = (FS(vector) *)(c + i * c_stride);
            FS(vector) *c_right = (FS(vector) *)(c + i * c_stride + LANES);
            *c_left = (t->adding ? *c_left : (FS(vector)){}) + bias_left + left[i];
            *c_right = (t->adding ? *c_right : (FS(vector)){}) + bias_right + right[i];
        }
        return;
    }
    for (size_t i = 0; i < rows; i++) {
        float sums[COLUMNS];
        *(FS(vector) *)sums = left[i];
        *(FS(vector) *)(sums + LANES) = right[i];
        for (size_t j = 0; j < columns; j++) {
            float *element = c + i * c_stride + j;
            *element = (t->adding ? *element : 0.0f) + (bias ? bias[j] : 0.0f) + sums[j];
        }
    }
}

static void FS(multiply_pair_tile)(const FS(pair_tile) *t, size_t rows, size_t columns) {
    switch (rows) {
#define FS_CASE(count)                                  \
    case count:                                         \
        if (columns == COLUMNS) {                       \
            FS(multiply_pair_rows)(t, count, COLUMNS);  \
        } else {                                        \
            FS(multiply_pair_rows)(t, count, columns);  \
        }                                               \
        break;
        FS_ROW_COUNTS
#undef FS_CASE
    }
}

static void FS(product_bf16)(const fs_product_arguments *p, float *workspace) {
    uint32_t *packed = (uint32_t *)workspace;
    const uint32_t *panels = (const uint32_t *)p->panels;
    size_t pairs = FS(pair_count)(p->k);
    for (size_t row = 0; row < p->m; row += BLOCK_ROWS) {
        size_t rows = FS(smaller)(BLOCK_ROWS, p->m - row);
        for (size_t start = 0; start == 0 || start < p->k; start += 2 * BLOCK_DEPTH) {
            size_t depth = FS(smaller)(2 * BLOCK_DEPTH, p->k - start), k = FS(pair_count)(depth);
            const float *a = p->a + row * p->a_row_stride + start * p->a_column_stride;
            FS(pair_block)(a, p->a_row_stride, p->a_column_stride, rows, depth, packed);
            for (size_t j = 0; j < p->n; j += COLUMNS) {
                for (size_t i = 0; i < rows; i += ROWS) {
                    FS(pair_tile) tile = {
                        .a = packed + i * k,
                        .b = panels + j * pairs + start / 2 * COLUMNS,
                        .k = k,
                        .c = p->c + (row + i) * p->c_stride + j,
                        .c_stride = p->c_stride,
                        .bias = p->bias && start == 0 ? p->bias + j : NULL,
                        .adding = p->adding || start > 0,
                    };
                    FS(multiply_pair_tile)(&tile, FS(smaller)(ROWS, rows - i), FS(smaller)(COLUMNS, p->n - j));
                }
            }
        }
    }
}
