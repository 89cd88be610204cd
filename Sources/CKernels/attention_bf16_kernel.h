// Attention of one head with the factors of its products rounded to bfloat16, for one instruction set; scores, softmax
// and sums are float32. Included after transpose.h and attention_bf16_rows.h.

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

static void FS(attention_forward_bf16)(const fs_attention_arguments *a, float *workspace) {
    size_t keys = FS(token_count)(a->keys, a->streams), width = a->width, stride = FS(score_stride)(keys);
    size_t width_pairs = FS(pair_count)(width), key_pairs = FS(pair_count)(keys);
    uint32_t *key_columns = (uint32_t *)workspace;
    uint32_t *value_rows = key_columns + width_pairs * FS(rounded_up)(keys);
    uint32_t *query_pairs = value_rows + key_pairs * FS(rounded_up)(width);
    uint32_t *weights = query_pairs + FS(query_rows) * width_pairs;
    float *scores = (float *)(weights + FS(query_rows) * FS(weight_stride)(keys));
    float *outputs = scores + FS(query_rows) * stride;
    int are_small = FS(scores_are_small)(a);
    FS(pair_tokens_as_columns)(a, a->keys, a->key_norms, keys, key_columns, query_pairs);
    FS(pair_tokens_as_rows)(a->values, keys, width, value_rows);
    size_t query = 0;
    for (size_t s = 0; s < a->query_streams; s++) {
        fs_token_rows q = a->queries[s];
        fs_token_results o = a->outputs[s];
        size_t rows;
        for (size_t first = 0; first < q.tokens; first += rows, query += rows) {
            rows = FS(smaller)(FS(query_rows), q.tokens - first);
            FS(pair_run)(a, q.rows + first * q.stride, q.stride, rows, a->query_norms[s], query_pairs);
            FS(multiply_pairs)(
                query_pairs, width_pairs, 1, key_columns, width_pairs, scores, stride, rows,
                FS(rounded_to_lanes)(keys), 0);
            float sums[FS(query_rows)];
            FS(soften_block)(a, scores, rows, query, keys, are_small, weights, sums);
            float *block = a->rounds_outputs ? outputs : o.rows + first * o.stride;
            size_t block_stride = a->rounds_outputs ? width : o.stride;
            FS(multiply_pairs)(
                weights, FS(weight_stride)(keys), 1, value_rows, key_pairs, block, block_stride, rows, width, 0);
            if (a->rounds_outputs) {
                uint32_t *target = (uint32_t *)o.rows + first * o.stride;
                FS(normalize_to_output_pairs)(outputs, rows, width, sums, target, o.stride);
            } else {
                FS(normalize_outputs)(block, o.stride, sums, rows, width);
            }
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
    FS(pair_tokens_as_columns)(a, a->keys, NULL, keys, key_columns, query_pairs);
    FS(pair_tokens_as_columns)(a, a->values, NULL, keys, value_columns, query_pairs);
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
