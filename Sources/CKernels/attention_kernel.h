// Attention of one head without a matrix of all scores, in float32; included after attention_rows.h.

// B[width, tokens]: every token a column. Columns past the last token repeat it; nobody reads their scores.
static void FS(pack_tokens_as_columns)(const fs_token_rows *streams, size_t tokens, size_t width, float *panels) {
    for (size_t t = 0; t < FS(rounded_up)(tokens); t += 4) {
        const float *rows[4];
        for (size_t j = 0; j < 4; j++) {
            rows[j] = FS(token)(streams, FS(smaller)(t + j, tokens - 1));
        }
        FS(pack_four_columns)(rows, width, panels + t / COLUMNS * COLUMNS * width + t % COLUMNS);
    }
}

// B[tokens, width]: every token a row.
static void FS(pack_tokens_as_rows)(const fs_token_rows *streams, size_t tokens, size_t width, float *panels) {
    size_t depth = tokens, target = 0;
    for (; tokens > 0; streams++) {
        size_t count = FS(smaller)(tokens, streams->tokens);
        for (size_t j = 0; j < width; j += COLUMNS) {
            size_t columns = FS(smaller)(COLUMNS, width - j);
            float *panel = panels + j * depth + target * COLUMNS;
            for (size_t t = 0; t < count; t++) {
                const float *row = streams->rows + t * streams->stride + j;
                if (columns == COLUMNS) {
                    memcpy(panel + t * COLUMNS, row, COLUMNS * sizeof *panel);
                } else {
                    memset(panel + t * COLUMNS, 0, COLUMNS * sizeof *panel);
                    memcpy(panel + t * COLUMNS, row, columns * sizeof *panel);
                }
            }
        }
        target += count;
        tokens -= count;
    }
}

// C[rows, columns] = A panels, or C +=; panels of `depth` rows.
static void FS(multiply_panels)(
    const float *a, size_t row_stride, size_t column_stride, const float *panels, size_t depth, float *c,
    size_t c_stride, size_t rows, size_t columns, int adding) {
    for (size_t start = 0; start < depth; start += BLOCK_DEPTH) {
        size_t k = FS(smaller)(BLOCK_DEPTH, depth - start);
        FS(tile) block = {
            .a = a + start * column_stride,
            .row_stride = row_stride,
            .column_stride = column_stride,
            .b = panels + start * COLUMNS,
            .b_stride = COLUMNS,
            .k = k,
            .c = c,
            .c_stride = c_stride,
            .adding = adding || start > 0,
        };
        FS(multiply_block)(&block, rows, columns, depth * COLUMNS, 0);
    }
}

static void FS(attention_forward)(const fs_attention_arguments *a, float *workspace) {
    size_t keys = FS(token_count)(a->keys, a->streams), width = a->width, stride = FS(score_stride)(keys);
    float *key_columns = workspace;
    float *value_rows = key_columns + width * FS(rounded_up)(keys);
    float *scores = value_rows + keys * FS(rounded_up)(width);
    FS(pack_tokens_as_columns)(a->keys, keys, width, key_columns);
    FS(pack_tokens_as_rows)(a->values, keys, width, value_rows);
    size_t query = 0;
    for (size_t s = 0; s < a->query_streams; s++) {
        fs_token_rows q = a->queries[s];
        fs_token_results o = a->outputs[s];
        size_t rows;
        for (size_t first = 0; first < q.tokens; first += rows, query += rows) {
            rows = FS(smaller)(FS(query_rows), q.tokens - first);
            FS(multiply_panels)(
                q.rows + first * q.stride, q.stride, 1, key_columns, width, scores, stride, rows,
                FS(rounded_to_lanes)(keys), 0);
            float sums[FS(query_rows)];
            for (size_t r = 0; r < rows; r++) {
                sums[r] = FS(soften)(a, scores + r * stride, query + r, keys);
            }
            float *output = o.rows + first * o.stride;
            FS(multiply_panels)(scores, stride, 1, value_rows, keys, output, o.stride, rows, width, 0);
            FS(normalize_outputs)(output, o.stride, sums, rows, width);
        }
    }
}

// gradient[t, :] += sum over queries of weights[query, t] rows[query, :], for the tokens of all streams.
FS_INLINE void FS(add_to_tokens)(
    const fs_attention_arguments *a, const float *weights, size_t stride, const float *row_panels,
    size_t queries, const fs_token_results *gradients) {
    for (size_t s = 0; s < a->streams; s++) {
        if (gradients[s].rows) {
            FS(multiply_panels)(
                weights, 1, stride, row_panels, queries, gradients[s].rows, gradients[s].stride,
                a->keys[s].tokens, a->width, 1);
        }
        weights += a->keys[s].tokens;
    }
}

static void FS(attention_backward)(const fs_attention_arguments *a, float *workspace) {
    size_t keys = FS(token_count)(a->keys, a->streams), width = a->width, stride = FS(score_stride)(keys);
    float *key_columns = workspace;
    float *value_columns = key_columns + width * FS(rounded_up)(keys);
    float *key_rows = value_columns + width * FS(rounded_up)(keys);
    float *query_rows = key_rows + keys * FS(rounded_up)(width);
    float *doutput_rows = query_rows + FS(query_rows) * FS(rounded_up)(width);
    float *probabilities = doutput_rows + FS(query_rows) * FS(rounded_up)(width);
    float *dscores = probabilities + FS(query_rows) * stride;
    FS(pack_tokens_as_columns)(a->keys, keys, width, key_columns);
    FS(pack_tokens_as_columns)(a->values, keys, width, value_columns);
    FS(pack_tokens_as_rows)(a->keys, keys, width, key_rows);
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
            FS(pack_tokens_as_rows)(&block_q, rows, width, query_rows);
            FS(pack_tokens_as_rows)(&block_dy, rows, width, doutput_rows);
            // Scores = Q K^T, dP = dO V^T.
            FS(multiply_panels)(
                block_q.rows, q.stride, 1, key_columns, width, probabilities, stride, rows,
                FS(rounded_to_lanes)(keys), 0);
            FS(multiply_panels)(
                block_dy.rows, dy.stride, 1, value_columns, width, dscores, stride, rows,
                FS(rounded_to_lanes)(keys), 0);
            for (size_t r = 0; r < rows; r++) {
                FS(pull_back_scores)(
                    a, probabilities + r * stride, dscores + r * stride, query + r, keys,
                    block_dy.rows + r * dy.stride, a->outputs[s].rows + (first + r) * a->outputs[s].stride);
            }
            // dV += P^T dO, dK += dS^T Q, dQ += dS K.
            FS(add_to_tokens)(a, probabilities, stride, doutput_rows, rows, a->dvalues);
            FS(add_to_tokens)(a, dscores, stride, query_rows, rows, a->dkeys);
            if (a->dqueries[s].rows) {
                FS(multiply_panels)(
                    dscores, stride, 1, key_rows, keys, a->dqueries[s].rows + first * a->dqueries[s].stride,
                    a->dqueries[s].stride, rows, width, 1);
            }
        }
    }
}

static size_t FS(attention_workspace)(const fs_attention_arguments *a) {
    size_t keys = FS(token_count)(a->keys, a->streams), width = a->width;
    return 2 * width * FS(rounded_up)(keys) + (keys + 2 * FS(query_rows)) * FS(rounded_up)(width)
           + 2 * FS(query_rows) * FS(score_stride)(keys);
}
