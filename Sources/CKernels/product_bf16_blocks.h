// Products of bfloat16 pairs out of tiles, for one instruction set. Included after product_bf16_kernel.h.

// Part i of n of a panel of k rows, wanted soon: weights seldom wait in a near cache, and the first tile of a panel
// would read them faster than they come.
FS_INLINE void FS(prefetch_panel)(const uint32_t *panel, size_t k, size_t i, size_t n) {
    for (size_t line = 2 * k * i / n; line < 2 * k * (i + 1) / n; line++) {
        __builtin_prefetch(panel + line * LANES);
    }
}

// Columns [first, first + columns) of C; `panels` starts at their first panel.
static void FS(multiply_pair_panels)(
    const fs_product_arguments *p, size_t first, size_t columns, const uint32_t *panels, uint32_t *packed) {
    size_t pairs = FS(pair_count)(p->k);
    for (size_t row = 0; row < p->m; row += BLOCK_ROWS) {
        size_t rows = FS(smaller)(BLOCK_ROWS, p->m - row);
        for (size_t start = 0; start == 0 || start < p->k; start += 2 * BLOCK_DEPTH) {
            size_t depth = FS(smaller)(2 * BLOCK_DEPTH, p->k - start), k = FS(pair_count)(depth), a_stride = k;
            const uint32_t *a = packed;
            if (p->a_pairs) {
                a_stride = p->a_row_stride;
                a = p->a_pairs + row * a_stride + start / 2;
            } else {
                const float *block = p->a + row * p->a_row_stride + start * p->a_column_stride;
                FS(pair_block)(block, p->a_row_stride, p->a_column_stride, rows, depth, packed);
            }
            for (size_t j = 0; j < columns; j += COLUMNS) {
                const uint32_t *panel = panels + j * pairs + start / 2 * COLUMNS;
                for (size_t i = 0; i < rows; i += ROWS) {
                    if (j + COLUMNS < columns) {
                        FS(prefetch_panel)(panel + COLUMNS * pairs, k, i / ROWS, (rows + ROWS - 1) / ROWS);
                    }
                    FS(pair_tile) tile = {
                        .a = a + i * a_stride,
                        .row_stride = a_stride,
                        .column_stride = 1,
                        .b = panel,
                        .k = k,
                        .c = p->c + (row + i) * p->c_stride + first + j,
                        .c_stride = p->c_stride,
                        .bias = p->bias && start == 0 ? p->bias + first + j : NULL,
                        .adding = p->adding || start > 0,
                    };
                    if (p->gates) {
                        size_t gate_row = p->gate_start + row + i;
                        tile.gates = p->gates + gate_row / p->rows_per_gate * p->gate_stride + first + j;
                        tile.gate_stride = p->gate_stride;
                        tile.gate_rows = p->rows_per_gate - gate_row % p->rows_per_gate;
                        tile.rows_per_gate = p->rows_per_gate;
                    }
                    FS(multiply_pair_tile)(&tile, FS(smaller)(ROWS, rows - i), FS(smaller)(COLUMNS, columns - j));
                }
            }
        }
    }
}

// C through GELU, in pairs, of an A in pairs: sums leave a tile once.
static void FS(multiply_to_gelu_pairs)(const fs_product_arguments *p) {
    size_t pairs = FS(pair_count)(p->k);
    for (size_t row = 0; row < p->m; row += BLOCK_ROWS) {
        size_t rows = FS(smaller)(BLOCK_ROWS, p->m - row);
        for (size_t j = 0; j < p->n; j += COLUMNS) {
            const uint32_t *panel = (const uint32_t *)p->panels + j * pairs;
            size_t columns = FS(smaller)(COLUMNS, p->n - j);
            for (size_t i = 0; i < rows; i += ROWS) {
                float sums[ROWS * COLUMNS];
                size_t tile_rows = FS(smaller)(ROWS, rows - i);
                if (j + COLUMNS < p->n) {
                    FS(prefetch_panel)(panel + COLUMNS * pairs, pairs, i / ROWS, (rows + ROWS - 1) / ROWS);
                }
                for (size_t start = 0; start == 0 || start < pairs; start += BLOCK_DEPTH) {
                    FS(pair_tile) tile = {
                        .a = p->a_pairs + (row + i) * p->a_row_stride + start,
                        .row_stride = p->a_row_stride,
                        .column_stride = 1,
                        .b = panel + start * COLUMNS,
                        .k = FS(smaller)(BLOCK_DEPTH, pairs - start),
                        .c = sums,
                        .c_stride = COLUMNS,
                        .bias = p->bias && start == 0 ? p->bias + j : NULL,
                        .adding = start > 0,
                    };
                    FS(multiply_pair_tile)(&tile, tile_rows, columns);
                }
                for (size_t r = 0; r < tile_rows; r++) {
                    uint32_t *target = p->gelu_pairs + (row + i + r) * p->c_stride + j / 2;
                    FS(pair_row)(sums + r * COLUMNS, columns, 1, target);
                }
            }
        }
    }
}

static void FS(product_bf16)(const fs_product_arguments *p, float *workspace) {
    uint32_t *packed = (uint32_t *)workspace, *panels = packed + BLOCK_ROWS * BLOCK_DEPTH;
    if (p->gelu_pairs) {
        FS(multiply_to_gelu_pairs)(p);
        return;
    }
    if (p->panels) {
        FS(multiply_pair_panels)(p, 0, p->n, (const uint32_t *)p->panels, packed);
        return;
    }
    size_t most = packed_columns(p->n, p->k);
    for (size_t first = 0; first < p->n; first += most) {
        size_t columns = FS(smaller)(most, p->n - first);
        FS(turn_panels)(p, first, columns, panels);
        FS(multiply_pair_panels)(p, first, columns, panels, packed);
    }
}
