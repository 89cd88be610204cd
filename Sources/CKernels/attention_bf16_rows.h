// What attention with rounded factors does besides its products, for one instruction set: heads become pairs, scores
// weights, and sums outputs. Included after transpose.h, attention_rows.h and product_bf16_kernel.h, and after defining
//   ROW_SUMS(rows)      the sums of LANES vectors, one a lane; left out where no instruction helps
//   RECIPROCAL_ROOT(x)  1 / sqrt(x) of a vector, as exact as bfloat16 needs; likewise

// e to the power of this times the number of keys is far from the ends of float32's range.
#define SMALL_SCORE 44.0f

#ifndef ROW_SUMS
FS_INLINE FS(vector) FS(row_sums)(const FS(vector) rows[LANES]) {
    FS(vector) sums;
    for (size_t i = 0; i < LANES; i++) {
        sums[i] = FS(sum)(rows[i]);
    }
    return sums;
}
#define ROW_SUMS FS(row_sums)
#endif

#ifndef RECIPROCAL_ROOT
#define RECIPROCAL_ROOT(x) (1.0f / __builtin_elementwise_sqrt(x))
#endif

// Pairs between two rows of weights: whole vectors of them.
FS_INLINE size_t FS(weight_stride)(size_t keys) {
    return FS(rounded_to_lanes)(FS(pair_count)(keys));
}

// `count` <= LANES rows of a width that is a multiple of COLUMNS, normalised by their root mean square, in pairs.
FS_INLINE void FS(normalize_to_pairs)(
    const float *rows, size_t stride, size_t count, size_t width, const float *norm, float epsilon, uint32_t *target) {
    FS(vector) squares[LANES] = {};
    float factors[LANES];
    for (size_t r = 0; r < count; r++) {
        FS(vector) sum = {};
        for (size_t d = 0; d < width; d += LANES) {
            FS(vector) x = FS(vector_at)(rows + r * stride + d);
            sum += x * x;
        }
        squares[r] = sum;
    }
    *(FS(vector) *)factors = RECIPROCAL_ROOT(ROW_SUMS(squares) / (float)width + epsilon);
    for (size_t r = 0; r < count; r++) {
        for (size_t d = 0; d < width; d += COLUMNS) {
            const float *x = rows + r * stride + d;
            FS(vector) first = FS(vector_at)(x) * factors[r] * FS(vector_at)(norm + d);
            FS(vector) second = FS(vector_at)(x + LANES) * factors[r] * FS(vector_at)(norm + d + LANES);
            *(FS(pairs) *)(target + (r * width + d) / 2) = ROUNDED_PAIRS(first, second);
        }
    }
}

// Rows of queries or keys in pairs, normalised with `norm` unless it is NULL.
static void FS(pair_run)(
    const fs_attention_arguments *a, const float *rows, size_t stride, size_t count, const float *norm,
    uint32_t *target) {
    size_t width = a->width;
    if (!norm) {
        FS(pair_block)(rows, stride, 1, count, width, target);
        return;
    }
    for (size_t r = 0; r < count; r += LANES, rows += LANES * stride, target += LANES * width / 2) {
        size_t step = FS(smaller)(LANES, count - r);
        if (step == LANES && width == COLUMNS) {
            FS(normalize_to_pairs)(rows, stride, LANES, COLUMNS, norm, a->norm_epsilon, target);
        } else if (step == LANES && width == 2 * COLUMNS) {
            FS(normalize_to_pairs)(rows, stride, LANES, 2 * COLUMNS, norm, a->norm_epsilon, target);
        } else {
            FS(normalize_to_pairs)(rows, stride, step, width, norm, a->norm_epsilon, target);
        }
    }
}

// B[width, tokens] in pairs along the width: every token a column, normalised with its stream's norm, if there is one.
// Columns past the last token repeat it; nobody reads their scores. `rows` takes QUERY_ROWS tokens in pairs.
static void FS(pair_tokens_as_columns)(
    const fs_attention_arguments *a, const fs_token_rows *streams, const float *const *norms, size_t tokens,
    uint32_t *panels, uint32_t *rows) {
    size_t pairs = FS(pair_count)(a->width), before = 0;   // tokens of the streams before this one
    for (size_t first = 0; first < tokens; first += FS(query_rows)) {
        size_t count = FS(smaller)(FS(query_rows), tokens - first), done = 0;
        while (done < count) {
            size_t start = first + done - before;
            size_t run = FS(smaller)(streams->tokens - start, count - done);
            FS(pair_run)(
                a, streams->rows + start * streams->stride, streams->stride, run, norms ? *norms : NULL,
                rows + done * pairs);
            done += run;
            if (start + run == streams->tokens) {
                before += streams->tokens;
                streams++;
                norms += norms ? 1 : 0;
            }
        }
        for (size_t t = 0; t < FS(rounded_up)(count); t += 4) {
            const float *columns[4];
            for (size_t j = 0; j < 4; j++) {
                columns[j] = (const float *)(rows + FS(smaller)(t + j, count - 1) * pairs);
            }
            size_t column = first + t;
            FS(pack_four_columns)(
                columns, pairs, (float *)panels + column / COLUMNS * COLUMNS * pairs + column % COLUMNS);
        }
    }
}

// Two rows as one of pairs; `high` NULL: zeros.
FS_INLINE void FS(pair_rows)(const float *low, const float *high, size_t count, uint32_t *target) {
    size_t j = 0;
    for (; high && j + LANES <= count; j += LANES) {
        *(FS(pairs) *)(target + j) = PAIRED_ROWS(FS(vector_at)(low + j), FS(vector_at)(high + j));
    }
    for (; j < count; j++) {
        target[j] = FS(pair)(low[j], high ? high[j] : 0.0f);
    }
}

// B[tokens, width] in pairs along the tokens: every token a row.
static void FS(pair_tokens_as_rows)(const fs_token_rows *streams, size_t tokens, size_t width, uint32_t *panels) {
    size_t pairs = FS(pair_count)(tokens);
    for (size_t p = 0; p < pairs; p++) {
        const float *low = FS(token)(streams, 2 * p);
        const float *high = 2 * p + 1 < tokens ? FS(token)(streams, 2 * p + 1) : NULL;
        for (size_t j = 0; j < width; j += COLUMNS) {
            size_t columns = FS(smaller)(COLUMNS, width - j);
            uint32_t *row = panels + j * pairs + p * COLUMNS;
            FS(pair_rows)(low + j, high ? high + j : NULL, columns, row);
            memset(row + columns, 0, (COLUMNS - columns) * sizeof *row);
        }
    }
}

// Rows of weights [queries, keys] as pairs of rows, in the place of every first of two; `queries` even.
static void FS(pair_queries)(float *weights, size_t stride, size_t queries, size_t keys) {
    for (size_t r = 0; r < queries; r += 2) {
        float *low = weights + r * stride;
        FS(pair_rows)(low, low + stride, FS(rounded_to_lanes)(keys), (uint32_t *)low);
    }
}

// The first `count` numbers, zeros behind them.
FS_INLINE FS(vector) FS(leading)(FS(vector) x, size_t count) {
    FS(pairs) lanes;
    for (size_t lane = 0; lane < LANES; lane++) {
        lanes[lane] = (uint32_t)lane;
    }
    return lanes < (FS(pairs))((uint32_t)count - (FS(pairs)){}) ? x : (FS(vector)){};
}

// The largest of a query's scores, which take their bias, times the scale.
FS_INLINE float FS(largest_score)(const fs_attention_arguments *a, float *restrict row, size_t query, size_t keys) {
    size_t visible = FS(visible)(a, query, keys);
    FS(add_position_bias)(a, row, query, visible);
    return FS(largest)(row, visible) * a->scale;
}

// Weights e^(scale (score + bias) - its largest) of a query's row of scores, in pairs; 0 for keys that are not visible.
// Returns a vector whose lanes add up to their sum.
FS_INLINE FS(vector) FS(soften_to_pairs)(
    const fs_attention_arguments *a, const float *restrict row, float largest, size_t query, size_t keys,
    uint32_t *restrict weights) {
    size_t visible = FS(visible)(a, query, keys), i = 0;
    FS(vector) scale = FS(splat)(a->scale * LOG2_E), shift = FS(splat)(largest * LOG2_E), sums = {};
    for (; i + 2 * LANES <= visible; i += 2 * LANES) {
        FS(vector) first = POWER_OF_TWO(FS(vector_at)(row + i) * scale - shift);
        FS(vector) second = POWER_OF_TWO(FS(vector_at)(row + i + LANES) * scale - shift);
        sums += first + second;
        *(FS(pairs) *)(weights + i / 2) = ROUNDED_PAIRS(first, second);
    }
    if (i < visible) {
        FS(vector) first = POWER_OF_TWO(FS(vector_at)(row + i) * scale - shift);
        FS(vector) second = {};
        if (visible - i < LANES) {
            first = FS(leading)(first, visible - i);
        } else if (visible - i > LANES) {
            second = FS(leading)(POWER_OF_TWO(FS(vector_at)(row + i + LANES) * scale - shift), visible - i - LANES);
        }
        sums += first + second;
        *(FS(pairs) *)(weights + i / 2) = ROUNDED_PAIRS(first, second);
        i += 2 * LANES;
    }
    for (; i < keys; i += 2 * LANES) {
        *(FS(pairs) *)(weights + i / 2) = (FS(pairs)){};
    }
    return sums;
}

// All rows of a block of scores, whose first is `query`'s, and the sums of their weights, whose logs go to log_sums, if
// wanted. Scores that `are_small` are not lowered by their largest.
static void FS(soften_block)(
    const fs_attention_arguments *a, float *restrict scores, size_t rows, size_t query, size_t keys, int are_small,
    uint32_t *restrict weights, float *restrict sums) {
    // All rows' largest first: one row's would be waited for.
    float largest[FS(query_rows)] = {0};
    for (size_t r = 0; !are_small && r < rows; r++) {
        largest[r] = FS(largest_score)(a, scores + r * FS(score_stride)(keys), query + r, keys);
    }
    for (size_t first = 0; first < rows; first += LANES) {
        FS(vector) parts[LANES] = {};
        for (size_t r = first; r < FS(smaller)(first + LANES, rows); r++) {
            parts[r - first] = FS(soften_to_pairs)(
                a, scores + r * FS(score_stride)(keys), largest[r], query + r, keys,
                weights + r * FS(weight_stride)(keys));
        }
        *(FS(vector) *)(sums + first) = ROW_SUMS(parts);
    }
    for (size_t r = 0; a->log_sums && r < rows; r++) {
        a->log_sums[query + r] = largest[r] + logf(sums[r]);
    }
}

// Outputs divided by the sums of their weights, in pairs; of a width that is a multiple of COLUMNS.
static void FS(normalize_to_output_pairs)(
    const float *outputs, size_t rows, size_t width, const float *sums, uint32_t *target, size_t stride) {
    for (size_t r = 0; r < rows; r++) {
        float inverse = 1.0f / sums[r];
        for (size_t d = 0; d < width; d += COLUMNS) {
            const float *output = outputs + r * width + d;
            *(FS(pairs) *)(target + r * stride + d / 2) =
                ROUNDED_PAIRS(FS(vector_at)(output) * inverse, FS(vector_at)(output + LANES) * inverse);
        }
    }
}

static float FS(largest_weight)(const float *const *norms, size_t streams, size_t width) {
    float largest = 0.0f;
    for (size_t s = 0; s < streams; s++) {
        if (!norms[s]) {
            return INFINITY;
        }
        for (size_t d = 0; d < width; d++) {
            float weight = __builtin_fabsf(norms[s][d]);
            largest = weight > largest ? weight : largest;
        }
    }
    return largest;
}

// Whether no power of e of a score can leave the range of float32 far enough to need its row's largest: a normalised
// row is sqrt(width) times its largest weight long at most.
static int FS(scores_are_small)(const fs_attention_arguments *a) {
    float queries = FS(largest_weight)(a->query_norms, a->query_streams, a->width);
    float keys = FS(largest_weight)(a->key_norms, a->streams, a->width);
    return !a->position_bias && (float)a->width * queries * keys * __builtin_fabsf(a->scale) <= SMALL_SCORE;
}
