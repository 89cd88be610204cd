// A layer norm's last step with its results rounded to bfloat16, for one instruction set; included after
// product_bf16_kernel.h.

// `count` < COLUMNS numbers from x on, zeros behind them.
FS_INLINE void FS(pad)(const float *x, size_t count, float *restrict padding) {
    memset(padding, 0, COLUMNS * sizeof *padding);
    memcpy(padding, x, count * sizeof *x);
}

FS_INLINE FS(vector) FS(modulated)(const float *x, float mean, float rstd, const float *scale, const float *shift) {
    return (FS(vector_at)(x) - mean) * rstd * (1.0f + FS(vector_at)(scale)) + FS(vector_at)(shift);
}

// COLUMNS of y = (x - mean) * rstd * (1 + scale) + shift, in pairs.
FS_INLINE FS(pairs) FS(modulated_pairs)(
    const float *x, float mean, float rstd, const float *scale, const float *shift) {
    FS(vector) first = FS(modulated)(x, mean, rstd, scale, shift);
    return ROUNDED_PAIRS(first, FS(modulated)(x + LANES, mean, rstd, scale + LANES, shift + LANES));
}

static void FS(modulate_to_pairs)(
    const float *x, float mean, float rstd, const float *scale, const float *shift, size_t columns,
    uint32_t *restrict y) {
    size_t c = 0;
    for (; c + COLUMNS <= columns; c += COLUMNS) {
        *(FS(pairs) *)(y + c / 2) = FS(modulated_pairs)(x + c, mean, rstd, scale + c, shift + c);
    }
    if (c < columns) {
        float numbers[COLUMNS], gains[COLUMNS], biases[COLUMNS];
        FS(pad)(x + c, columns - c, numbers);
        FS(pad)(scale + c, columns - c, gains);
        FS(pad)(shift + c, columns - c, biases);
        FS(pairs) pairs = FS(modulated_pairs)(numbers, mean, rstd, gains, biases);
        memcpy(y + c / 2, &pairs, FS(pair_count)(columns - c) * sizeof *y);
    }
}
