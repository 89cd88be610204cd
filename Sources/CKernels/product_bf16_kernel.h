// C = A B with A and B rounded to bfloat16 and sums in float32, for one instruction set; blocked like the product
// in float32. Both factors are read in pairs along k, a pair to 32 bits, the lower element first: the form that
// AVX512-BF16 multiplies. Included after vectors.h and after defining
//   DOT_PAIRS(sums, x, y)  sums + x.low * y.low + x.high * y.high, a float each 32-bit lane
//   ROUNDED_PAIRS(first, second)  two vectors that follow one another, as pairs of neighbours; left out where no
//                                 instruction does it
//   PAIRED_ROWS(low, high)        a vector of each of two rows, as pairs of a column; likewise
//   POWER_OF_TWO(x)               2^x of a vector, as exact as bfloat16 needs, finite for x <= 126 and of no finite
//                                 reciprocal but 0 beyond; likewise
//   RECIPROCAL(x)                 1 / x of a vector, so exact; likewise

#include "fast_math.h"

#define LOG2_E 0x1.715476p0f

typedef uint32_t FS(pairs) __attribute__((ext_vector_type(LANES), aligned(4), may_alias));
typedef uint64_t FS(two_pairs) __attribute__((aligned(4), may_alias));

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
FS_INLINE FS(pairs) FS(rounded_pairs)(FS(vector) first, FS(vector) second) {
    float row[2 * LANES];
    *(FS(vector) *)row = first;
    *(FS(vector) *)(row + LANES) = second;
    FS(pairs) result;
    for (size_t lane = 0; lane < LANES; lane++) {
        result[lane] = FS(pair)(row[2 * lane], row[2 * lane + 1]);
    }
    return result;
}
#define ROUNDED_PAIRS FS(rounded_pairs)
#endif

#ifndef PAIRED_ROWS
FS_INLINE FS(pairs) FS(paired_rows)(FS(vector) low, FS(vector) high) {
    FS(pairs) result;
    for (size_t lane = 0; lane < LANES; lane++) {
        result[lane] = FS(pair)(low[lane], high[lane]);
    }
    return result;
}
#define PAIRED_ROWS FS(paired_rows)
#endif

#ifndef POWER_OF_TWO
FS_INLINE FS(vector) FS(power_of_two)(FS(vector) x) {
    for (size_t lane = 0; lane < LANES; lane++) {
        x[lane] = fs_exp_of_negative((x[lane] > 126.0f ? 126.0f : x[lane]) / LOG2_E);
    }
    return x;
}
#define POWER_OF_TWO FS(power_of_two)
#endif

#ifndef RECIPROCAL
#define RECIPROCAL(x) (1.0f / (x))
#endif

// x / (1 + e^-y), the power of e as one of two.
FS_INLINE FS(vector) FS(gelu)(FS(vector) x) {
    FS(vector) minus_y = x * (x * x * (-FS_GELU_CUBIC * LOG2_E) - FS_GELU_LINEAR * LOG2_E);
    return x * RECIPROCAL(1.0f + POWER_OF_TWO(minus_y));
}

FS_INLINE FS(vector) FS(vector_at)(const float *x) {
    return *(const FS(vector) *)x;
}

FS_INLINE size_t FS(pair_count)(size_t k) {
    return (k + 1) / 2;
}

// Panels of COLUMNS columns, each pair_count(k) rows of pairs; what is missing is zero.
static void FS(pack_bf16)(const fs_right_matrix *b, size_t n, size_t k, float *panels) {
    size_t pairs = FS(pair_count)(k);
    for (size_t first = 0; first < n; first += COLUMNS) {
        uint32_t *panel = (uint32_t *)panels + first * pairs;
        for (size_t j = first; j < first + COLUMNS; j++) {
            uint32_t *target = panel + (j - first);
            if (j >= n) {
                for (size_t p = 0; p < pairs; p++) {
                    target[p * COLUMNS] = 0;
                }
                continue;
            }
            size_t index = j * b->column_stride;
            for (size_t p = 0; p < k / 2; p++, index += 2 * b->row_stride) {
                float low = FS(element)(b->elements, b->type, index);
                float high = FS(element)(b->elements, b->type, index + b->row_stride);
                target[p * COLUMNS] = FS(pair)(low, high);
            }
            if (k % 2) {
                target[k / 2 * COLUMNS] = FS(pair)(FS(element)(b->elements, b->type, index), 0.0f);
            }
        }
    }
}

// Two columns of a pair of rows, (a, b) and (c, d), as the two rows of a pair of columns, (a, c) and (b, d).
FS_INLINE uint64_t FS(turned)(uint64_t pairs) {
    uint64_t inner = 0x00000000ffff0000u;
    return (pairs & 0xffff00000000ffffu) | (pairs & inner) << 16 | (pairs >> 16 & inner);
}

// Panels of `columns` columns of B from `first` on, out of those of its transpose.
static void FS(turn_panels)(const fs_product_arguments *p, size_t first, size_t columns, uint32_t *panels) {
    enum { SIDE = COLUMNS / 2 };   // of a square of turned pairs
    size_t pairs = FS(pair_count)(p->k), all = FS(pair_count)(p->turned_k);
    for (size_t j = 0; j < columns; j += COLUMNS) {
        size_t start = (p->turned_first + first + j) / 2;
        size_t rows = FS(smaller)(SIDE, all - start);
        for (size_t q = 0; q < pairs; q += SIDE) {
            const FS(two_pairs) *source =
                (const FS(two_pairs) *)((const uint32_t *)p->turned + (q / SIDE * all + start) * COLUMNS);
            FS(two_pairs) *target = (FS(two_pairs) *)(panels + j * pairs + q * COLUMNS);
            for (size_t i = 0; i < FS(smaller)(SIDE, pairs - q); i++) {
                for (size_t r = 0; r < rows; r++) {
                    target[i * SIDE + r] = FS(turned)(source[r * SIDE + i]);
                }
                for (size_t r = rows; r < SIDE; r++) {
                    target[i * SIDE + r] = 0;
                }
            }
        }
    }
}

static size_t FS(packed_size_bf16)(size_t n, size_t k) {
    return FS(panels)(n) * COLUMNS * FS(pair_count)(k);
}

FS_INLINE FS(pairs) FS(pairs_at)(const float *row, int through_gelu) {
    FS(vector) first = FS(vector_at)(row), second = FS(vector_at)(row + LANES);
    return through_gelu ? ROUNDED_PAIRS(FS(gelu)(first), FS(gelu)(second)) : ROUNDED_PAIRS(first, second);
}

// `count` numbers that follow one another in pairs; `through_gelu` is a constant wherever this is inlined.
FS_INLINE void FS(pair_row)(const float *row, size_t count, int through_gelu, uint32_t *restrict target) {
    size_t p = 0;
    for (; p + 2 * LANES <= count; p += 2 * LANES) {
        *(FS(pairs) *)(target + p / 2) = FS(pairs_at)(row + p, through_gelu);
    }
    if (p < count) {
        float rest[2 * LANES] = {0};
        for (size_t i = p; i < count; i++) {
            rest[i - p] = row[i];
        }
        FS(pairs) pairs = FS(pairs_at)(rest, through_gelu);
        memcpy(target + p / 2, &pairs, FS(pair_count)(count - p) * sizeof *target);
    }
}

// A block of A in pairs, row by row.
static void FS(pair_block)(
    const float *a, size_t row_stride, size_t column_stride, size_t rows, size_t k, uint32_t *restrict block) {
    for (size_t i = 0; i < rows; i++) {
        const float *row = a + i * row_stride;
        uint32_t *target = block + i * FS(pair_count)(k);
        if (column_stride == 1) {
            FS(pair_row)(row, k, 0, target);
            continue;
        }
        for (size_t p = 0; p < k / 2; p++) {
            target[p] = FS(pair)(row[2 * p * column_stride], row[(2 * p + 1) * column_stride]);
        }
        if (k % 2) {
            target[k / 2] = FS(pair)(row[(k - 1) * column_stride], 0.0f);
        }
    }
}

typedef struct {
    const uint32_t *a;   // pair p of row i at a[i * row_stride + p * column_stride]; one of the two is 1
    size_t row_stride, column_stride;
    const uint32_t *b;   // k rows of COLUMNS pairs
    size_t k;
    float *c;
    size_t c_stride;
    const float *bias;
    int adding;
    const float *gates;   // those of the first row, which `gate_rows` rows have in common, like rows_per_gate later ones
    size_t gate_stride, gate_rows, rows_per_gate;
} FS(pair_tile);

// Moves on to the next row's gates; `rows` more have those of the row before.
FS_INLINE void FS(advance_gates)(const FS(pair_tile) *t, const float **gates, size_t *rows) {
    if (*rows == 0) {
        *gates += t->gate_stride;
        *rows = t->rows_per_gate;
    }
    --*rows;
}

// C += gates (sums + bias), the sums of LANES columns to the left and, with COLUMNS, as many to the right.
FS_INLINE void FS(add_gated)(
    const FS(pair_tile) *t, const FS(vector) *left, const FS(vector) *right, size_t rows, size_t columns) {
    const FS(pair_tile) tile = *t;   // which C, for all the compiler knows, overlaps
    const float *gates = tile.gates;
    size_t gate_rows = tile.gate_rows;
    FS(vector) bias_left = tile.bias ? FS(vector_at)(tile.bias) : (FS(vector)){};
    FS(vector) bias_right = tile.bias && columns > LANES ? FS(vector_at)(tile.bias + LANES) : (FS(vector)){};
#pragma clang loop unroll(full)
    for (size_t i = 0; i < rows; i++) {
        FS(advance_gates)(&tile, &gates, &gate_rows);
        float *c = tile.c + i * tile.c_stride;
        *(FS(vector) *)c += FS(vector_at)(gates) * (left[i] + bias_left);
        if (columns > LANES) {
            *(FS(vector) *)(c + LANES) += FS(vector_at)(gates + LANES) * (right[i] + bias_right);
        }
    }
}

// For COLUMNS or LANES columns, or for fewer than COLUMNS; constants wherever this is inlined, like the strides.
FS_INLINE void FS(multiply_pair_rows)(
    const FS(pair_tile) *t, size_t rows, size_t columns, size_t row_stride, size_t column_stride) {
    const uint32_t *restrict b = t->b;
    const float *bias = t->bias;
    float *restrict c = t->c;
    size_t k = t->k, c_stride = t->c_stride;
    int adding = t->adding;
    // C arrives while the products are summed.
    for (size_t i = 0; i < rows; i++) {
        __builtin_prefetch(c + i * c_stride, 1);
        __builtin_prefetch(c + i * c_stride + columns - 1, 1);
    }
    FS(vector) left[ROWS] = {}, right[ROWS] = {};
    // Three rows share one address, as in float32's tiles.
    const uint32_t *triples[(ROWS + 2) / 3];
    for (size_t i = 0; i < rows; i += 3) {
        triples[i / 3] = t->a + i * row_stride;
    }
#pragma clang loop unroll(disable)
    for (size_t p = 0; p < k; p++) {
        FS(pairs) b_left = *(const FS(pairs) *)(b + p * COLUMNS);
        FS(pairs) b_right = columns > LANES ? *(const FS(pairs) *)(b + p * COLUMNS + LANES) : (FS(pairs)){};
#pragma clang loop unroll(full)
        for (size_t i = 0; i < rows; i++) {
            FS(pairs) x = triples[i / 3][i % 3 * row_stride];
            left[i] = DOT_PAIRS(left[i], x, b_left);
            if (columns > LANES) {
                right[i] = DOT_PAIRS(right[i], x, b_right);
            }
        }
#pragma clang loop unroll(full)
        for (size_t i = 0; i < rows; i += 3) {
            triples[i / 3] += column_stride;
            __asm__("" : "+r"(triples[i / 3]));
        }
    }
    if (t->gates && (columns == COLUMNS || columns == LANES)) {
        FS(add_gated)(t, left, right, rows, columns);
        return;
    }
    if (columns == COLUMNS || columns == LANES) {
        FS(vector) bias_left = bias ? *(const FS(vector) *)bias : (FS(vector)){};
        FS(vector) bias_right = bias && columns > LANES ? *(const FS(vector) *)(bias + LANES) : (FS(vector)){};
#pragma clang loop unroll(full)
        for (size_t i = 0; i < rows; i++) {
            FS(vector) *c_left = (FS(vector) *)(c + i * c_stride);
            FS(vector) *c_right = (FS(vector) *)(c + i * c_stride + LANES);
            left[i] += bias_left;
            *c_left = adding ? *c_left + left[i] : left[i];
            if (columns > LANES) {
                right[i] += bias_right;
                *c_right = adding ? *c_right + right[i] : right[i];
            }
        }
        return;
    }
    const float *gates = t->gates;
    size_t gate_rows = t->gate_rows;
#pragma clang loop unroll(full)
    for (size_t i = 0; i < rows; i++) {
        float sums[COLUMNS];
        *(FS(vector) *)sums = left[i];
        *(FS(vector) *)(sums + LANES) = right[i];
        if (gates) {
            FS(advance_gates)(t, &gates, &gate_rows);
        }
        for (size_t j = 0; j < columns; j++) {
            float *element = c + i * c_stride + j;
            float sum = sums[j] + (bias ? bias[j] : 0.0f);
            *element = (adding ? *element : 0.0f) + (gates ? gates[j] * sum : sum);
        }
    }
}

FS_INLINE void FS(multiply_pair_columns)(
    const FS(pair_tile) *t, size_t rows, size_t columns, size_t row_stride, size_t column_stride) {
    if (columns == COLUMNS) {
        FS(multiply_pair_rows)(t, rows, COLUMNS, row_stride, column_stride);
    } else if (columns == LANES) {
        FS(multiply_pair_rows)(t, rows, LANES, row_stride, column_stride);
    } else {
        FS(multiply_pair_rows)(t, rows, columns, row_stride, column_stride);
    }
}

static void FS(multiply_pair_tile)(const FS(pair_tile) *t, size_t rows, size_t columns) {
    switch (rows) {
#define FS_CASE(count)                                                           \
    case count:                                                                  \
        if (t->column_stride != 1) {                                             \
            FS(multiply_pair_columns)(t, count, columns, 1, t->column_stride);   \
        } else {                                                                 \
            FS(multiply_pair_columns)(t, count, columns, t->row_stride, 1);      \
        }                                                                        \
        break;
        FS_ROW_COUNTS
#undef FS_CASE
    }
}
