// Attention of one head without a matrix of all scores, for one instruction set. Queries are taken QUERY_ROWS
// at a time; their scores against all keys stay in the second-level cache from the product that makes them to
// the products that use them up. The backward pass makes them again from the forward's log sums (the
// recomputation of Dao and others 2022, without its tiling of the keys).

#include "fast_math.h"

#include <math.h>

// A multiple of every ROWS.
enum { FS(query_rows) = 96 };

FS_INLINE size_t FS(rounded_up)(size_t count) {
    return FS(panels)(count) * COLUMNS;
}

// Floats between two rows of scores: never a multiple of 128 bytes, so that a column of scores, which the
// gradients of keys and values read, does not fall on the same few lines of the cache.
FS_INLINE size_t FS(score_stride)(size_t keys) {
    return (keys + 31) / 32 * 32 + 16;
}

FS_INLINE size_t FS(token_count)(const fs_token_rows *streams, size_t count) {
    size_t tokens = 0;
    for (size_t s = 0; s < count; s++) {
        tokens += streams[s].tokens;
    }
    return tokens;
}

// A token of joined streams.
FS_INLINE const float *FS(token)(const fs_token_rows *streams, size_t token) {
    while (token >= streams->tokens) {
        token -= streams->tokens;
        streams++;
    }
    return streams->rows + token * streams->stride;
}

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

FS_INLINE float FS(largest)(const float *x, size_t count) {
    FS(vector) wide = FS(splat)(-INFINITY);
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        FS(vector) next = *(const FS(vector) *)(x + i);
        wide = next > wide ? next : wide;
    }
    float largest = __builtin_reduce_max(wide);
    for (; i < count; i++) {
        largest = x[i] > largest ? x[i] : largest;
    }
    return largest;
}

// x becomes e^(scale x - shift), and 0 from `count` to the next multiple of LANES, which is there; returns the sum.
FS_INLINE float FS(exponentiate)(float *restrict x, size_t count, float scale, float shift) {
#pragma clang fp reassociate(on)
    float sum = 0.0f;
    uint32_t end = (uint32_t)count, whole = (end + LANES - 1) / LANES * LANES;
    __builtin_assume(whole % LANES == 0);
#pragma clang loop interleave_count(1)
    for (uint32_t i = 0; i < whole; i++) {
        float e = fs_exp_of_negative(scale * x[i] - shift);
        e = i < end ? e : 0.0f;
        x[i] = e;
        sum += e;
    }
    return sum;
}

FS_INLINE float FS(dot)(const float *restrict x, const float *restrict y, size_t count) {
#pragma clang fp reassociate(on)
    float sum = 0.0f;
    for (size_t i = 0; i < count; i++) {
        sum += x[i] * y[i];
    }
    return sum;
}

FS_INLINE size_t FS(visible)(const fs_attention_arguments *a, size_t query, size_t keys) {
    return a->causal ? FS(smaller)(query + 1, keys) : keys;
}

// scores[t] += what the distance from the query to key t is worth.
FS_INLINE void FS(add_position_bias)(
    const fs_attention_arguments *a, float *restrict scores, size_t query, size_t count) {
    if (a->position_bias) {
        const float *bias = a->position_bias - query;
        for (size_t t = 0; t < count; t++) {
            scores[t] += bias[t];
        }
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
                FS(rounded_up)(keys), 0);
            float sums[FS(query_rows)];
            for (size_t r = 0; r < rows; r++) {
                float *row = scores + r * stride;
                size_t visible = FS(visible)(a, query + r, keys);
                FS(add_position_bias)(a, row, query + r, visible);
                float largest = FS(largest)(row, visible) * a->scale;
                sums[r] = FS(exponentiate)(row, visible, a->scale, largest);
                memset(row + visible, 0, (keys - visible) * sizeof *row);
                a->log_sums[query + r] = largest + logf(sums[r]);
            }
            float *output = o.rows + first * o.stride;
            FS(multiply_panels)(scores, stride, 1, value_rows, keys, output, o.stride, rows, width, 0);
            for (size_t r = 0; r < rows; r++) {
                float inverse = 1.0f / sums[r];
                for (size_t d = 0; d < width; d++) {
                    output[r * o.stride + d] *= inverse;
                }
            }
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
            // P = e^(scale Q K^T - log sum), dP = dO V^T.
            FS(multiply_panels)(
                block_q.rows, q.stride, 1, key_columns, width, probabilities, stride, rows,
                FS(rounded_up)(keys), 0);
            FS(multiply_panels)(
                block_dy.rows, dy.stride, 1, value_columns, width, dscores, stride, rows,
                FS(rounded_up)(keys), 0);
            for (size_t r = 0; r < rows; r++) {
                float *restrict p = probabilities + r * stride;
                float *restrict ds = dscores + r * stride;
                size_t visible = FS(visible)(a, query + r, keys);
                FS(add_position_bias)(a, p, query + r, visible);
                FS(exponentiate)(p, visible, a->scale, a->log_sums[query + r]);
                memset(p + visible, 0, (keys - visible) * sizeof *p);
                // sum P dP = dO O, of width terms instead of keys. dS = scale P (dP - sum P dP).
                const float *output = a->outputs[s].rows + (first + r) * a->outputs[s].stride;
                float mean = FS(dot)(block_dy.rows + r * dy.stride, output, width);
                size_t whole = (keys + LANES - 1) / LANES * LANES;
                __builtin_assume(whole % LANES == 0);
                for (size_t t = 0; t < whole; t++) {
                    ds[t] = a->scale * p[t] * (ds[t] - mean);
                }
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
