// Rows that become columns of a panel, for one instruction set; included after vectors.h. Only moves 32 bits at a
// time, whatever they mean.

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
