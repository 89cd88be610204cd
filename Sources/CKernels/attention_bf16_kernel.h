// Attention of one head with the factors of its products rounded to bfloat16, for one instruction set; scores, softmax
// and sums are float32. Included after transpose.h, attention_rows.h and product_bf16_kernel.h.

// Pairs between two rows of weights: whole vectors of them.
FS_INLINE size_t FS(weight_stride)(size_t keys) {
    return FS(rounded_to_lanes)(FS(pair_count)(keys));
}

// B[width, tokens] in pairs along the width: every token a column. Columns past the last token repeat it; nobody reads
// their scores. `rows` takes four tokens in pairs.
static void FS(pair_tokens_as_columns)(
    const fs_token_rows *streams, size_t tokens, size_t width, uint32_t *panels, uint32_t *rows) {
    size_t pairs = FS(pair_count)(width);
    for (size_t t = 0; t < FS(rounded_up)(tokens); t += 4) {
        const float *columns[4];
        for (size_t j = 0; j < 4; j++) {
            const float *token = FS(token)(streams, FS(smaller)(t + j, tokens - 1));
            FS(pair_block)(token, 0, 1, 1, width, rows + j * pairs);
            columns[j] = (const float *)(rows + j * pairs);
        }
        FS(pack_four_columns)(columns, pairs, (float *)panels + t / COLUMNS * COLUMNS * pairs + t % COLUMNS);
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

// C[rows, columns] = A panels, or C +=; panels of `depth` rows of pairs.
static void FS(multiply_pairs)(
    const uint32_t *a, size_t row_stride, size_t column_stride, const uint32_t *panels, size_t depth, float *c,
    size_t c_stride, size_t rows, size_t columns, int adding) {
    for (size_t start = 0; start < depth; start += BLOCK_DEPTH) {
        for (size_t j = 0; j < columns; j += COLUMNS) {
            for (size_t i = 0; i < rows; i += ROWS) {
                FS(pair_tile) tile = {
                    .a = a + i * row_stride + start * column_stride,
                    .row_stride = row_stride,
                    .column_stride = column_stride,
                    .b = panels + j * depth + start * COLUMNS,
                    .k = FS(smaller)(BLOCK_DEPTH, depth - start),
                    .c = c + i * c_stride + j,
                    .c_stride = c_stride,
                    .adding = adding || start > 0,
                };
                FS(multiply_pair_tile)(&tile, FS(smaller)(ROWS, rows - i), FS(smaller)(COLUMNS, columns - j));
            }
        }
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
// The log of their sum goes to log_sums, if wanted. Returns the sum.
FS_INLINE float FS(soften_to_pairs)(
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
        first = FS(leading)(first, visible - i);
        if (visible - i > LANES) {
            second = FS(leading)(POWER_OF_TWO(FS(vector_at)(row + i + LANES) * scale - shift), visible - i - LANES);
        }
        sums += first + second;
        *(FS(pairs) *)(weights + i / 2) = ROUNDED_PAIRS(first, second);
        i += 2 * LANES;
    }
    for (; i < keys; i += 2 * LANES) {
        *(FS(pairs) *)(weights + i / 2) = (FS(pairs)){};
    }
    float sum = FS(sum)(sums);
    if (a->log_sums) {
        a->log_sums[query] = largest + logf(sum);
    }
    return sum;
}

static void FS(attention_forward_bf16)(const fs_attention_arguments *a, float *workspace) {
    size_t keys = FS(token_count)(a->keys, a->streams), width = a->width, stride = FS(score_stride)(keys);
    size_t width_pairs = FS(pair_count)(width), key_pairs = FS(pair_count)(keys);
    uint32_t *key_columns = (uint32_t *)workspace;
    uint32_t *value_rows = key_columns + width_pairs * FS(rounded_up)(keys);
    uint32_t *query_pairs = value_rows + key_pairs * FS(rounded_up)(width);
    uint32_t *weights = query_pairs + FS(query_rows) * width_pairs;
    float *scores = (float *)(weights + FS(query_rows) * FS(weight_stride)(keys));
    FS(pair_tokens_as_columns)(a->keys, keys, width, key_columns, query_pairs);
    FS(pair_tokens_as_rows)(a->values, keys, width, value_rows);
    size_t query = 0;
    for (size_t s = 0; s < a->query_streams; s++) {
        fs_token_rows q = a->queries[s];
        fs_token_results o = a->outputs[s];
        size_t rows;
        for (size_t first = 0; first < q.tokens; first += rows, query += rows) {
            rows = FS(smaller)(FS(query_rows), q.tokens - first);
            FS(pair_block)(q.rows + first * q.stride, q.stride, 1, rows, width, query_pairs);
            FS(multiply_pairs)(
                query_pairs, width_pairs, 1, key_columns, width_pairs, scores, stride, rows,
                FS(rounded_to_lanes)(keys), 0);
            // All rows' largest first: one row's would be waited for.
            float largest[FS(query_rows)], sums[FS(query_rows)];
            for (size_t r = 0; r < rows; r++) {
                largest[r] = FS(largest_score)(a, scores + r * stride, query + r, keys);
            }
            for (size_t r = 0; r < rows; r++) {
                sums[r] = FS(soften_to_pairs)(
                    a, scores + r * stride, largest[r], query + r, keys, weights + r * FS(weight_stride)(keys));
            }
            float *output = o.rows + first * o.stride;
            FS(multiply_pairs)(
                weights, FS(weight_stride)(keys), 1, value_rows, key_pairs, output, o.stride, rows, width, 0);
            FS(normalize_outputs)(output, o.stride, sums, rows, width);
        }
    }
}

// gradient[t, :] += sum over queries of weights[query, t] rows[query, :], for the tokens of all streams.
FS_INLINE void FS(add_pairs_to_tokens)(
    const fs_attention_arguments *a, const float *weights, size_t stride, const uint32_t *row_panels,
    size_t query_pairs, const fs_token_results *gradients) {
    for (size_t s = 0; s < a->streams; s++) {
        if (gradients[s].rows) {
            FS(multiply_pairs)(
                (const uint32_t *)weights, 1, 2 * stride, row_panels, query_pairs, gradients[s].rows,
                gradients[s].stride, a->keys[s].tokens, a->width, 1);
        }
        weights += a->keys[s].tokens;
    }
}

static void FS(attention_backward_bf16)(const fs_attention_arguments *a, float *workspace) {
    size_t keys = FS(token_count)(a->keys, a->streams), width = a->width, stride = FS(score_stride)(keys);
    size_t width_pairs = FS(pair_count)(width), key_pairs = FS(pair_count)(keys);
    uint32_t *key_columns = (uint32_t *)workspace;
    uint32_t *value_columns = key_columns + width_pairs * FS(rounded_up)(keys);
    uint32_t *key_rows = value_columns + width_pairs * FS(rounded_up)(keys);
    uint32_t *query_pairs = key_rows + key_pairs * FS(rounded_up)(width);
    uint32_t *query_rows = query_pairs + FS(query_rows) * width_pairs;
    uint32_t *doutput_pairs = query_rows + FS(query_rows) / 2 * FS(rounded_up)(width);
    uint32_t *doutput_rows = doutput_pairs + FS(query_rows) * width_pairs;
    uint32_t *dscore_pairs = doutput_rows + FS(query_rows) / 2 * FS(rounded_up)(width);
    float *probabilities = (float *)(dscore_pairs + FS(query_rows) * key_pairs);
    float *dscores = probabilities + FS(query_rows) * stride;
    FS(pair_tokens_as_columns)(a->keys, keys, width, key_columns, query_pairs);
    FS(pair_tokens_as_columns)(a->values, keys, width, value_columns, query_pairs);
    FS(pair_tokens_as_rows)(a->keys, keys, width, key_rows);
    size_t query = 0;
    for (size_t s = 0; s < a->query_streams; s++) {
        fs_token_rows q = a->queries[s], dy = a->doutputs[s];
        if (!dy.rows) {
            query += q.tokens;
            continue;
        }
        size_t rows;
        for (size_t first = 0; first < q.tokens; first += rows, query += rows) {
            rows = FS(smaller)(FS(query_rows), q.tokens - first);
            fs_token_rows block_q = {q.rows + first * q.stride, q.stride, rows};
            fs_token_rows block_dy = {dy.rows + first * dy.stride, dy.stride, rows};
            FS(pair_block)(block_q.rows, q.stride, 1, rows, width, query_pairs);
            FS(pair_block)(block_dy.rows, dy.stride, 1, rows, width, doutput_pairs);
            FS(pair_tokens_as_rows)(&block_q, rows, width, query_rows);
            FS(pair_tokens_as_rows)(&block_dy, rows, width, doutput_rows);
            // Scores = Q K^T, dP = dO V^T.
            FS(multiply_pairs)(
                query_pairs, width_pairs, 1, key_columns, width_pairs, probabilities, stride, rows,
                FS(rounded_to_lanes)(keys), 0);
            FS(multiply_pairs)(
                doutput_pairs, width_pairs, 1, value_columns, width_pairs, dscores, stride, rows,
                FS(rounded_to_lanes)(keys), 0);
            for (size_t r = 0; r < rows; r++) {
                FS(pull_back_scores)(
                    a, probabilities + r * stride, dscores + r * stride, query + r, keys,
                    block_dy.rows + r * dy.stride, a->outputs[s].rows + (first + r) * a->outputs[s].stride);
            }
            // dQ += dS K, dV += P^T dO, dK += dS^T Q.
            if (a->dqueries[s].rows) {
                FS(pair_block)(dscores, stride, 1, rows, keys, dscore_pairs);
                FS(multiply_pairs)(
                    dscore_pairs, key_pairs, 1, key_rows, key_pairs,
                    a->dqueries[s].rows + first * a->dqueries[s].stride, a->dqueries[s].stride, rows, width, 1);
            }
            size_t pairs = FS(pair_count)(rows);
            if (rows % 2) {
                memset(probabilities + rows * stride, 0, stride * sizeof *probabilities);
                memset(dscores + rows * stride, 0, stride * sizeof *dscores);
            }
            FS(pair_queries)(probabilities, stride, 2 * pairs, keys);
            FS(pair_queries)(dscores, stride, 2 * pairs, keys);
            FS(add_pairs_to_tokens)(a, probabilities, stride, doutput_rows, pairs, a->dvalues);
            FS(add_pairs_to_tokens)(a, dscores, stride, query_rows, pairs, a->dkeys);
        }
    }
}

// The backward pass needs more than the forward pass.
static size_t FS(attention_workspace_bf16)(const fs_attention_arguments *a) {
    size_t keys = FS(token_count)(a->keys, a->streams), width = a->width;
    size_t width_pairs = FS(pair_count)(width), key_pairs = FS(pair_count)(keys);
    return 2 * width_pairs * FS(rounded_up)(keys) + (key_pairs + FS(query_rows)) * FS(rounded_up)(width)
           + FS(query_rows) * (2 * width_pairs + key_pairs) + 2 * FS(query_rows) * FS(score_stride)(keys);
}
