// The smallest piece of a matrix product, for one instruction set; included after vectors.h.
//
// A product C = A B runs over tiles of ROWS x COLUMNS elements of C that live in registers. A tile reads B a row
// of COLUMNS elements at a time, mostly from a packed panel where the rows follow one another, and A one element
// at a time.

// What a tile multiplies and where the result goes: C = A B + tail_a tail_b + bias, or C += when `adding`.
typedef struct {
    const float *a;   // element (i, p) at a[i * row_stride + p * column_stride]; one of the two is 1
    size_t row_stride, column_stride;
    const float *b;   // k rows of COLUMNS, b_stride apart
    size_t b_stride, k;
    float *c;
    size_t c_stride;
    const float *bias;   // COLUMNS floats or NULL
    int adding;
    const float *tail_a;   // rows of tail_k elements, tail_stride apart
    size_t tail_stride, tail_k;
    const float *tail_b;   // tail_k rows of COLUMNS, one after another
} FS(tile);

// The tile's first `rows` rows; a constant wherever this is inlined, like the strides that are given.
FS_INLINE void FS(multiply_rows)(
    const FS(tile) *t, size_t rows, size_t row_stride, size_t column_stride, size_t b_stride) {
    const float *restrict a = t->a, *restrict b = t->b, *bias = t->bias;
    float *restrict c = t->c;
    size_t c_stride = t->c_stride, k = t->k;
    // C arrives while the products are summed.
    for (size_t i = 0; i < rows; i++) {
        __builtin_prefetch(c + i * c_stride, 1);
        __builtin_prefetch(c + i * c_stride + COLUMNS - 1, 1);
    }
    FS(vector) left[ROWS], right[ROWS];
    for (size_t i = 0; i < rows; i++) {
        left[i] = bias ? *(const FS(vector) *)bias : (FS(vector)){};
        right[i] = bias ? *(const FS(vector) *)(bias + LANES) : (FS(vector)){};
    }
#pragma clang loop unroll_count(4)
    for (size_t p = 0; p < k; p++) {
        FS(vector) b_left = *(const FS(vector) *)(b + p * b_stride);
        FS(vector) b_right = *(const FS(vector) *)(b + p * b_stride + LANES);
#pragma clang loop unroll(full)
        for (size_t i = 0; i < rows; i++) {
            FS(vector) x = FS(splat)(a[i * row_stride + p * column_stride]);
            left[i] += x * b_left;
            right[i] += x * b_right;
        }
    }
    for (size_t p = 0; p < t->tail_k; p++) {
        FS(vector) b_left = *(const FS(vector) *)(t->tail_b + p * COLUMNS);
        FS(vector) b_right = *(const FS(vector) *)(t->tail_b + p * COLUMNS + LANES);
#pragma clang loop unroll(full)
        for (size_t i = 0; i < rows; i++) {
            FS(vector) x = FS(splat)(t->tail_a[i * t->tail_stride + p]);
            left[i] += x * b_left;
            right[i] += x * b_right;
        }
    }
    for (size_t i = 0; i < rows; i++) {
        FS(vector) *c_left = (FS(vector) *)(c + i * c_stride);
        FS(vector) *c_right = (FS(vector) *)(c + i * c_stride + LANES);
        *c_left = t->adding ? *c_left + left[i] : left[i];
        *c_right = t->adding ? *c_right + right[i] : right[i];
    }
}

// `rows` full rows; compiled for each of 1 ... ROWS.
static void FS(multiply_whole)(const FS(tile) *t, size_t rows) {
#define FS_CASE(count)                                                                  \
    case count:                                                                         \
        if (t->b_stride != COLUMNS) {                                                   \
            FS(multiply_rows)(t, count, t->row_stride, t->column_stride, t->b_stride);  \
        } else if (t->column_stride == 1) {                                             \
            FS(multiply_rows)(t, count, t->row_stride, 1, COLUMNS);                     \
        } else {                                                                        \
            FS(multiply_rows)(t, count, 1, t->column_stride, COLUMNS);                  \
        }                                                                               \
        break;
    switch (rows) {
        FS_ROW_COUNTS
    }
#undef FS_CASE
}

// Like it, for a panel of which only `columns` columns belong to C.
static void FS(multiply_partial)(const FS(tile) *t, size_t rows, size_t columns) {
    float bias[COLUMNS] = {0}, sums[ROWS * COLUMNS];
    FS(tile) whole = *t;
    if (t->bias) {
        memcpy(bias, t->bias, columns * sizeof *bias);
        whole.bias = bias;
    }
    whole.c = sums;
    whole.c_stride = COLUMNS;
    whole.adding = 0;
    FS(multiply_whole)(&whole, rows);
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = 0; j < columns; j++) {
            float *c = t->c + i * t->c_stride + j;
            *c = t->adding ? *c + sums[i * COLUMNS + j] : sums[i * COLUMNS + j];
        }
    }
}

// `rows` <= ROWS rows of `columns` <= COLUMNS columns.
FS_INLINE void FS(multiply_tile)(const FS(tile) *t, size_t rows, size_t columns) {
    if (columns == COLUMNS) {
        FS(multiply_whole)(t, rows);
    } else {
        FS(multiply_partial)(t, rows, columns);
    }
}

// ---- Packing ----

FS_INLINE FS(quad) FS(quad_at)(const float *x) {
    return *(const FS(quad) *)x;
}

// Four rows of four, transposed.
FS_INLINE void FS(transpose_quads)(FS(quad) q[4]) {
    FS(quad) a = __builtin_shufflevector(q[0], q[1], 0, 4, 1, 5);
    FS(quad) b = __builtin_shufflevector(q[2], q[3], 0, 4, 1, 5);
    FS(quad) c = __builtin_shufflevector(q[0], q[1], 2, 6, 3, 7);
    FS(quad) d = __builtin_shufflevector(q[2], q[3], 2, 6, 3, 7);
    q[0] = __builtin_shufflevector(a, b, 0, 1, 4, 5);
    q[1] = __builtin_shufflevector(a, b, 2, 3, 6, 7);
    q[2] = __builtin_shufflevector(c, d, 0, 1, 4, 5);
    q[3] = __builtin_shufflevector(c, d, 2, 3, 6, 7);
}

// panel[p, j] = rows[j][p] for four columns j of a panel: rows become columns.
FS_INLINE void FS(pack_four_columns)(const float *const rows[4], size_t k, float *restrict panel) {
    size_t p = 0;
    for (; p + 4 <= k; p += 4) {
        FS(quad) q[4];
        for (int j = 0; j < 4; j++) {
            q[j] = FS(quad_at)(rows[j] + p);
        }
        FS(transpose_quads)(q);
        for (int j = 0; j < 4; j++) {
            *(FS(quad) *)(panel + (p + (size_t)j) * COLUMNS) = q[j];
        }
    }
    for (; p < k; p++) {
        for (int j = 0; j < 4; j++) {
            panel[p * COLUMNS + (size_t)j] = rows[j][p];
        }
    }
}
