// What attention of one head does besides its products, for one instruction set; included after vectors.h. Queries
// are taken QUERY_ROWS at a time; their scores against all keys stay in the second-level cache from the product
// that makes them to the products that use them up. The backward pass makes them again from the forward's log sums
// (the recomputation of Dao and others 2022, without its tiling of the keys).

#include "fast_math.h"

#include <math.h>

// A multiple of every ROWS.
enum { FS(query_rows) = 96 };

FS_INLINE size_t FS(rounded_up)(size_t count) {
    return FS(panels)(count) * COLUMNS;
}

// Scores that are computed: whole vectors of them.
FS_INLINE size_t FS(rounded_to_lanes)(size_t count) {
    return (count + LANES - 1) / LANES * LANES;
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

// All lanes of x put together by an operation on vectors of a quarter, then on single ones.
#if LANES == 16
#define QUARTER(operation, x) \
    operation(operation((x).lo.lo, (x).lo.hi), operation((x).hi.lo, (x).hi.hi))
#elif LANES == 8
#define QUARTER(operation, x) operation((x).lo, (x).hi)
#else
#define QUARTER(operation, x) (x)
#endif
#define LARGER(a, b) ((a) > (b) ? (a) : (b))
#define ADDED(a, b) ((a) + (b))

FS_INLINE float FS(largest_lane)(FS(vector) x) {
    FS(quad) q = QUARTER(LARGER, x);
    float low = LARGER(q.x, q.y), high = LARGER(q.z, q.w);
    return LARGER(low, high);
}

FS_INLINE float FS(sum)(FS(vector) x) {
    FS(quad) q = QUARTER(ADDED, x);
    return (q.x + q.y) + (q.z + q.w);
}

FS_INLINE float FS(largest)(const float *x, size_t count) {
    FS(vector) wide = FS(splat)(-INFINITY);
    size_t i = 0;
    for (; i + LANES <= count; i += LANES) {
        FS(vector) next = *(const FS(vector) *)(x + i);
        wide = next > wide ? next : wide;
    }
    float largest = FS(largest_lane)(wide);
    for (; i < count; i++) {
        largest = x[i] > largest ? x[i] : largest;
    }
    return largest;
}

// x becomes e^(scale x - shift), and 0 from `count` to the next multiple of LANES, which is there; returns the sum.
FS_INLINE float FS(exponentiate)(float *restrict x, size_t count, float scale, float shift) {
#pragma clang fp reassociate(on)
    float sum = 0.0f;
    uint32_t end = (uint32_t)count, whole = (uint32_t)FS(rounded_to_lanes)(count);
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

// A row of scores of a query against all keys becomes e^(scale (score + bias) - its largest), 0 for keys that are not
// visible and as far as the next multiple of LANES; the log of the sum goes to log_sums, if wanted. Returns
// the sum.
FS_INLINE float FS(soften)(const fs_attention_arguments *a, float *restrict row, size_t query, size_t keys) {
    size_t visible = FS(visible)(a, query, keys);
    FS(add_position_bias)(a, row, query, visible);
    float largest = FS(largest)(row, visible) * a->scale;
    float sum = FS(exponentiate)(row, visible, a->scale, largest);
    memset(row + visible, 0, (keys - visible) * sizeof *row);
    if (a->log_sums) {
        a->log_sums[query] = largest + logf(sum);
    }
    return sum;
}

// Scores become probabilities P = e^(scale (score + bias) - log sum), and dP becomes dS = scale P (dP - sum P dP); the
// sum is dO O, of width terms instead of keys. Both are 0 as far as the next multiple of LANES.
FS_INLINE void FS(pull_back_scores)(
    const fs_attention_arguments *a, float *restrict p, float *restrict ds, size_t query, size_t keys,
    const float *doutput, const float *output) {
    size_t visible = FS(visible)(a, query, keys);
    FS(add_position_bias)(a, p, query, visible);
    FS(exponentiate)(p, visible, a->scale, a->log_sums[query]);
    memset(p + visible, 0, (keys - visible) * sizeof *p);
    float mean = FS(dot)(doutput, output, a->width);
    size_t whole = FS(rounded_to_lanes)(keys);
    __builtin_assume(whole % LANES == 0);
    for (size_t t = 0; t < whole; t++) {
        ds[t] = a->scale * p[t] * (ds[t] - mean);
    }
}

// What rows of outputs are divided by, done.
FS_INLINE void FS(normalize_outputs)(
    float *restrict outputs, size_t stride, const float *sums, size_t rows, size_t width) {
    for (size_t r = 0; r < rows; r++) {
        float inverse = 1.0f / sums[r], *output = outputs + r * stride;
        size_t d = 0;
        for (; d + LANES <= width; d += LANES) {
            *(FS(vector) *)(output + d) *= inverse;
        }
        for (; d < width; d++) {
            output[d] *= inverse;
        }
    }
}
