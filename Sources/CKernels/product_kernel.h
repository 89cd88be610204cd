// C = A B + tail, or C +=, for one instruction set (after Goto & van de Geijn 2008). B is packed into panels, as
// many columns at a time as PANEL_ELEMENTS allow; a block of A stays in the second-level cache while all
// panels pass over it, and a panel stays in the first-level cache while all tiles of the block pass over it.

// One panel from a B whose columns are contiguous (a weight [n, k] read transposed).
FS_INLINE void FS(pack_columns)(
    const void *b, fs_scalar type, size_t stride, size_t k, size_t columns, float *restrict panel) {
    size_t j = 0;
    if (type == FS_FLOAT32) {
        for (; j + 4 <= columns; j += 4) {
            const float *first = (const float *)b + j * stride;
            const float *rows[4] = {first, first + stride, first + 2 * stride, first + 3 * stride};
            FS(pack_four_columns)(rows, k, panel + j);
        }
    }
    for (; j < columns; j++) {
        for (size_t p = 0; p < k; p++) {
            panel[p * COLUMNS + j] = FS(element)(b, type, j * stride + p);
        }
    }
}

// Some rows of one panel from a B whose rows are contiguous.
FS_INLINE void FS(pack_rows)(
    const void *b, fs_scalar type, size_t stride, size_t rows, size_t columns, float *restrict panel) {
    for (size_t p = 0; p < rows; p++) {
        if (columns == COLUMNS) {
            for (size_t j = 0; j < COLUMNS; j++) {
                panel[p * COLUMNS + j] = FS(element)(b, type, p * stride + j);
            }
        } else {
            for (size_t j = 0; j < COLUMNS; j++) {
                panel[p * COLUMNS + j] = j < columns ? FS(element)(b, type, p * stride + j) : 0.0f;
            }
        }
    }
}

// All panels of `columns` columns. Contiguous rows are packed a few rows at a time in all panels, so that no more
// memory pages are in use at once than the processor keeps translations for.
FS_INLINE void FS(pack_typed_panels)(
    const fs_right_matrix *b, fs_scalar type, size_t k, size_t first, size_t columns, float *panels) {
    enum { ROWS_AT_ONCE = 16 };
    const char *start = (const char *)b->elements
                        + first * b->column_stride * (type == FS_FLOAT32 ? sizeof(float) : sizeof(uint16_t));
    size_t step = b->column_stride == 1 ? ROWS_AT_ONCE : k;
    for (size_t p = 0; p < k; p += step) {
        for (size_t j = 0; j < columns; j += COLUMNS) {
            size_t count = FS(smaller)(COLUMNS, columns - j);
            size_t offset = p * b->row_stride + j * b->column_stride;
            const void *elements = start + offset * (type == FS_FLOAT32 ? sizeof(float) : sizeof(uint16_t));
            float *panel = panels + j * k + p * COLUMNS;
            if (b->column_stride == 1) {
                FS(pack_rows)(elements, type, b->row_stride, FS(smaller)(step, k - p), count, panel);
                continue;
            }
            if (count < COLUMNS) {
                memset(panel, 0, k * COLUMNS * sizeof *panel);
            }
            FS(pack_columns)(elements, type, b->column_stride, k, count, panel);
        }
    }
}

// Columns [first, first + columns) of a B with k rows.
static void FS(pack_panels)(const fs_right_matrix *b, size_t k, size_t first, size_t columns, float *panels) {
    if (b->type == FS_FLOAT32) {
        FS(pack_typed_panels)(b, FS_FLOAT32, k, first, columns, panels);
    } else {
        FS(pack_typed_panels)(b, FS_BFLOAT16, k, first, columns, panels);
    }
}

// A block of A as runs of ROWS rows (the last run shorter), each element column by column.
static void FS(pack_block)(
    const float *restrict a, size_t row_stride, size_t column_stride, size_t rows, size_t k,
    float *restrict block) {
    size_t whole = row_stride == 1 ? rows / ROWS * ROWS : 0;
    for (size_t p = 0; p < k; p++) {
        const float *source = a + p * column_stride;
        for (size_t i = 0; i < whole; i += ROWS) {
            memcpy(block + i * k + p * ROWS, source + i, ROWS * sizeof *block);
        }
    }
    for (size_t i = whole; i < rows; i += ROWS) {
        size_t count = FS(smaller)(ROWS, rows - i);
        for (size_t r = 0; r < count; r++) {
            for (size_t p = 0; p < k; p++) {
                block[i * k + p * count + r] = a[(i + r) * row_stride + p * column_stride];
            }
        }
    }
}

// A is packed where it is read often enough to pay for it and its elements lie apart; with few rows a tile, each
// row for itself, also where a large product would need more memory pages than the processor keeps translations for.
FS_INLINE int FS(packs_block)(const fs_product_arguments *p) {
    return p->a_column_stride != 1 ? p->n > 2 * COLUMNS : ROWS < 12 && p->k >= 1024 && p->n >= 1024;
}

// B is read where it stands when few rows of A would not pay for packing it.
FS_INLINE int FS(packs_panels)(const fs_product_arguments *p) {
    return p->b.type != FS_FLOAT32 || p->b.column_stride != 1 || p->m > 4 * ROWS;
}

// A panel with all full tiles of a block of A, whose loop the compiler sees whole; `next` is the panel that will
// be needed after it, of which a share arrives in the second-level cache with every tile, or NULL.
FS_INLINE void FS(multiply_full_tiles)(
    const FS(tile) *block, size_t rows, int is_packed, const float *next) {
    FS(tile) tile = *block;
    size_t tiles = rows / ROWS, share = next ? block->k * COLUMNS / tiles : 0;
    for (size_t i = 0; i < tiles; i++) {
        for (size_t line = 0; line < share; line += 16) {
            __builtin_prefetch(next + line, 0, 2);
        }
        next += share;
        if (is_packed) {
            tile.a = block->a + i * ROWS * block->k;
            FS(multiply_rows)(&tile, ROWS, COLUMNS, 1, ROWS, COLUMNS);
        } else {
            tile.a = block->a + i * ROWS * block->row_stride;
            FS(multiply_rows)(&tile, ROWS, COLUMNS, block->row_stride, 1, COLUMNS);
        }
        tile.c += ROWS * block->c_stride;
        tile.tail_a += ROWS * block->tail_stride;
    }
}

// C = A B for a block of A, ROWS x all of a panel at a time. Panels are `panel_step` floats apart.
FS_INLINE void FS(multiply_block)(
    const FS(tile) *block, size_t rows, size_t columns, size_t panel_step, int is_packed) {
    int is_plain = block->b_stride == COLUMNS && (is_packed || block->column_stride == 1);
    for (size_t j = 0; j < columns; j += COLUMNS) {
        FS(tile) panel = *block;
        panel.b = block->b + j / COLUMNS * panel_step;
        panel.c = block->c + j;
        panel.bias = block->bias ? block->bias + j : NULL;
        panel.tail_b = block->tail_b + j * block->tail_k;
        size_t whole = is_plain && j + COLUMNS <= columns ? rows / ROWS * ROWS : 0;
        if (whole) {
            const float *next = j + COLUMNS < columns ? panel.b + panel_step : NULL;
            if (is_packed) {
                FS(multiply_full_tiles)(&panel, whole, 1, next);
            } else {
                FS(multiply_full_tiles)(&panel, whole, 0, next);
            }
        }
        for (size_t i = whole; i < rows; i += ROWS) {
            FS(tile) tile = panel;
            size_t count = FS(smaller)(ROWS, rows - i);
            tile.a = block->a + i * (is_packed ? block->k : block->row_stride);
            tile.row_stride = is_packed ? 1 : block->row_stride;
            tile.column_stride = is_packed ? count : block->column_stride;
            tile.c = panel.c + i * block->c_stride;
            tile.tail_a = block->tail_a + i * block->tail_stride;
            FS(multiply_tile)(&tile, count, FS(smaller)(COLUMNS, columns - j));
        }
    }
}

// Columns [first, first + columns) of C; `b` starts at their first panel, or at the first column of a B that
// is read where it stands. `tail` has all panels of tail_b.
static void FS(multiply_columns)(
    const fs_product_arguments *p, size_t first, size_t columns, const float *b, size_t b_stride,
    const float *tail, float *packed) {
    int packs = FS(packs_block)(p);
    for (size_t row = 0; row < p->m; row += BLOCK_ROWS) {
        size_t rows = FS(smaller)(BLOCK_ROWS, p->m - row);
        for (size_t start = 0; start == 0 || start < p->k; start += BLOCK_DEPTH) {
            size_t depth = FS(smaller)(BLOCK_DEPTH, p->k - start);
            const float *a = p->a + row * p->a_row_stride + start * p->a_column_stride;
            if (packs) {
                FS(pack_block)(a, p->a_row_stride, p->a_column_stride, rows, depth, packed);
            }
            FS(tile) block = {
                .a = packs ? packed : a,
                .row_stride = p->a_row_stride,
                .column_stride = p->a_column_stride,
                .b = b + start * b_stride,
                .b_stride = b_stride,
                .k = depth,
                .c = p->c + row * p->c_stride + first,
                .c_stride = p->c_stride,
                .bias = p->bias && start == 0 ? p->bias + first : NULL,
                .adding = p->adding || start > 0,
                .tail_a = p->tail_a + row * p->tail_a_row_stride,
                .tail_stride = p->tail_a_row_stride,
                .tail_k = start + depth == p->k ? p->tail_k : 0,
                .tail_b = tail + first * p->tail_k,
            };
            FS(multiply_block)(&block, rows, columns, b_stride == COLUMNS ? p->k * COLUMNS : COLUMNS, packs);
        }
    }
}

FS_INLINE float FS(vector_sum)(FS(vector) v) {
    float sum = 0.0f;
    for (size_t lane = 0; lane < LANES; lane++) {
        sum += v[lane];
    }
    return sum;
}

// Each element of C is a product of two runs, so that every weight is read once and nothing is packed. Two rows
// and four columns at a time keep eight sums going.
static void FS(multiply_narrow)(const fs_product_arguments *p) {
    const float *b = p->b.elements;
    size_t b_stride = p->b.column_stride;
    for (size_t j = 0; j < p->n; j += 4) {
        size_t columns = FS(smaller)(4, p->n - j);
        for (size_t i = 0; i < p->m; i += 2) {
            size_t rows = FS(smaller)(2, p->m - i);
            const float *x[2], *w[4];
            for (size_t r = 0; r < 2; r++) {
                x[r] = p->a + FS(smaller)(i + r, p->m - 1) * p->a_row_stride;
            }
            for (size_t c = 0; c < 4; c++) {
                w[c] = b + FS(smaller)(j + c, p->n - 1) * b_stride;
            }
            FS(vector) sums[2][4] = {};
            size_t k = 0;
            for (; k + LANES <= p->k; k += LANES) {
                FS(vector) first = *(const FS(vector) *)(x[0] + k), second = *(const FS(vector) *)(x[1] + k);
                for (size_t c = 0; c < 4; c++) {
                    FS(vector) weights = *(const FS(vector) *)(w[c] + k);
                    sums[0][c] += first * weights;
                    sums[1][c] += second * weights;
                }
            }
            for (size_t r = 0; r < rows; r++) {
                for (size_t c = 0; c < columns; c++) {
                    float sum = FS(vector_sum)(sums[r][c]);
                    for (size_t rest = k; rest < p->k; rest++) {
                        sum += x[r][rest] * w[c][rest];
                    }
                    float *result = p->c + (i + r) * p->c_stride + j + c;
                    *result = sum + (p->bias ? p->bias[j + c] : 0.0f) + (p->adding ? *result : 0.0f);
                }
            }
        }
    }
}

static void FS(product)(const fs_product_arguments *p, float *workspace) {
    float *packed = workspace, *tail = packed + BLOCK_ROWS * BLOCK_DEPTH;
    float *panels = tail + tail_size(p->n, p->tail_k);
    if (p->is_narrow && !p->panels) {
        FS(multiply_narrow)(p);
        if (p->tail_k) {
            fs_product_arguments rest = {
                .a = p->tail_a,
                .a_row_stride = p->tail_a_row_stride,
                .a_column_stride = 1,
                .b = p->tail_b,
                .c = p->c,
                .c_stride = p->c_stride,
                .m = p->m,
                .n = p->n,
                .k = p->tail_k,
                .adding = 1,
            };
            FS(product)(&rest, workspace);
        }
        return;
    }
    if (p->tail_k) {
        FS(pack_panels)(&p->tail_b, p->tail_k, 0, p->n, tail);
    }
    if (p->panels) {
        FS(multiply_columns)(p, 0, p->n, p->panels, COLUMNS, tail, packed);
        return;
    }
    size_t standing = FS(packs_panels)(p) ? 0 : p->n / COLUMNS * COLUMNS;
    if (standing) {
        FS(multiply_columns)(p, 0, standing, p->b.elements, p->b.row_stride, tail, packed);
    }
    size_t most = packed_columns(p->n, p->k);
    for (size_t first = standing; first < p->n; first += most) {
        size_t columns = FS(smaller)(most, p->n - first);
        FS(pack_panels)(&p->b, p->k, first, columns, panels);
        FS(multiply_columns)(p, first, columns, panels, COLUMNS, tail, packed);
    }
}

static size_t FS(packed_size)(size_t n, size_t k) {
    return FS(panels)(n) * COLUMNS * k;
}

static void FS(pack)(const fs_right_matrix *b, size_t n, size_t k, float *panels) {
    FS(pack_panels)(b, k, 0, n, panels);
}
