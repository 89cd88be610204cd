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

// Sums += A B for the first `rows` rows of A and for COLUMNS or LANES columns; constants wherever this is inlined,
// like the strides that are given.
//
// Three rows share one address, which moves along: with one address a row there would not be registers enough, and
// the compiler would sooner fetch elements of A ahead and spill them. The empty assembly keeps it from doing so.
FS_INLINE void FS(add_products)(
    FS(vector) left[ROWS], FS(vector) right[ROWS], const float *a, size_t row_stride, size_t column_stride,
    const float *b, size_t b_stride, size_t rows, size_t columns, size_t k) {
    const float *triples[(ROWS + 2) / 3];
    for (size_t i = 0; i < rows; i += 3) {
        triples[i / 3] = a + i * row_stride;
    }
#pragma clang loop unroll(disable)
    for (size_t p = 0; p < k; p++) {
        FS(vector) b_left = *(const FS(vector) *)b;
        FS(vector) b_right = columns > LANES ? *(const FS(vector) *)(b + LANES) : (FS(vector)){};
        b += b_stride;
#pragma clang loop unroll(full)
        for (size_t i = 0; i < rows; i++) {
            FS(vector) x = FS(splat)(triples[i / 3][i % 3 * row_stride]);
            left[i] += x * b_left;
            if (columns > LANES) {
                right[i] += x * b_right;
            }
        }
#pragma clang loop unroll(full)
        for (size_t i = 0; i < rows; i += 3) {
            triples[i / 3] += column_stride;
            __asm__("" : "+r"(triples[i / 3]));
        }
    }
}

// The tile's first `rows` rows.
FS_INLINE void FS(multiply_rows)(
    const FS(tile) *t, size_t rows, size_t columns, size_t row_stride, size_t column_stride, size_t b_stride) {
    const float *bias = t->bias;
    float *restrict c = t->c;
    size_t c_stride = t->c_stride;
    // C arrives while the products are summed.
    for (size_t i = 0; i < rows; i++) {
        __builtin_prefetch(c + i * c_stride, 1);
        __builtin_prefetch(c + i * c_stride + columns - 1, 1);
    }
    FS(vector) left[ROWS], right[ROWS];
#pragma clang loop unroll(full)
    for (size_t i = 0; i < rows; i++) {
        left[i] = bias ? *(const FS(vector) *)bias : (FS(vector)){};
        right[i] = bias && columns > LANES ? *(const FS(vector) *)(bias + LANES) : (FS(vector)){};
    }
    FS(add_products)(left, right, t->a, row_stride, column_stride, t->b, b_stride, rows, columns, t->k);
    FS(add_products)(
        left, right, t->tail_a, t->tail_stride, 1, t->tail_b, COLUMNS, rows, columns, t->tail_k);
#pragma clang loop unroll(full)
    for (size_t i = 0; i < rows; i++) {
        FS(vector) *c_left = (FS(vector) *)(c + i * c_stride);
        FS(vector) *c_right = (FS(vector) *)(c + i * c_stride + LANES);
        *c_left = t->adding ? *c_left + left[i] : left[i];
        if (columns > LANES) {
            *c_right = t->adding ? *c_right + right[i] : right[i];
        }
    }
}

// `rows` full rows of COLUMNS or LANES columns; compiled for each of 1 ... ROWS.
FS_INLINE void FS(multiply_row_counts)(const FS(tile) *t, size_t rows, size_t columns) {
#define FS_CASE(count)                                                                          \
    case count:                                                                                 \
        if (t->b_stride != COLUMNS) {                                                           \
            FS(multiply_rows)(t, count, columns, t->row_stride, t->column_stride, t->b_stride); \
        } else if (t->column_stride == 1) {                                                     \
            FS(multiply_rows)(t, count, columns, t->row_stride, 1, COLUMNS);                    \
        } else {                                                                                \
            FS(multiply_rows)(t, count, columns, 1, t->column_stride, COLUMNS);                 \
        }                                                                                       \
        break;
    switch (rows) {
        FS_ROW_COUNTS
    }
#undef FS_CASE
}

static void FS(multiply_whole)(const FS(tile) *t, size_t rows) {
    FS(multiply_row_counts)(t, rows, COLUMNS);
}

// The left half of the columns: a low rank, or the last of a wide matrix.
static void FS(multiply_half)(const FS(tile) *t, size_t rows) {
    FS(multiply_row_counts)(t, rows, LANES);
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
    if (columns > LANES) {
        FS(multiply_whole)(&whole, rows);
    } else {
        FS(multiply_half)(&whole, rows);
    }
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
    } else if (columns == LANES) {
        FS(multiply_half)(t, rows);
    } else {
        FS(multiply_partial)(t, rows, columns);
    }
}
