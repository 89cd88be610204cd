// Group norm of channels-last activations.

#include "CKernels.h"
#include "clones.h"
#include "column_sums.h"

#include <math.h>

// Some whole groups of one sample: its channels first ..< last. They fit one tile of COLUMN_TILE channels, or
// it is a single group that takes several.
typedef struct {
    size_t positions, channels, group_size;
    size_t first, last;
} group_batch;

FS_INLINE group_batch batch_at(size_t positions, size_t channels, size_t groups, size_t group) {
    size_t group_size = channels / groups;
    size_t count = group_size < COLUMN_TILE ? COLUMN_TILE / group_size : 1;
    size_t last = smaller(group + count, groups);
    return (group_batch){positions, channels, group_size, group * group_size, last * group_size};
}

FS_INLINE size_t group_count(group_batch b) {
    return (b.last - b.first) / b.group_size;
}

// values[i] = per_group[i / group_size].
FS_INLINE void spread(const float *per_group, size_t width, size_t group_size, float *restrict values) {
    for (size_t i = 0; i < width; i++) {
        values[i] = per_group[i / group_size];
    }
}

// average[g] = average over the group of x - mean, squared if asked.
FS_INLINE void group_averages(
    const float *restrict x, const float *mean, int squared, group_batch b, double *restrict average) {
    double size = (double)(b.positions * b.group_size);
    for (size_t g = 0; g < group_count(b); g++) {
        average[g] = 0.0;
    }
    for (size_t c = b.first; c < b.last; c += COLUMN_TILE) {
        size_t width = smaller(COLUMN_TILE, b.last - c);
        float center[COLUMN_TILE] = {0};
        if (mean) {
            spread(mean, width, b.group_size, center);
        }
        for (size_t first = 0; first < b.positions; first += ROW_RUN) {
            float tile[COLUMN_TILE] = {0};
            for (size_t position = first; position < smaller(first + ROW_RUN, b.positions); position++) {
                const float *restrict row = x + position * b.channels + c;
                for (size_t i = 0; i < width; i++) {
                    float d = row[i] - center[i];
                    tile[i] += squared ? d * d : d;
                }
            }
            for (size_t i = 0; i < width; i++) {
                average[i / b.group_size] += tile[i] / size;
            }
        }
    }
}

FS_INLINE void normalize_groups(
    const float *x, const float *weight, const float *bias, const float *mean, const float *rstd,
    group_batch b,
    float *y) {
    for (size_t c = b.first; c < b.last; c += COLUMN_TILE) {
        size_t width = smaller(COLUMN_TILE, b.last - c);
        float center[COLUMN_TILE], factor[COLUMN_TILE];
        spread(mean, width, b.group_size, center);
        spread(rstd, width, b.group_size, factor);
        for (size_t i = 0; i < width; i++) {
            factor[i] *= weight[c + i];
        }
        for (size_t at = c; at < b.positions * b.channels; at += b.channels) {
            FS_INDEPENDENT
            for (size_t i = 0; i < width; i++) {
                y[at + i] = (x[at + i] - center[i]) * factor[i] + bias[c + i];
            }
        }
    }
}

FS_CLONES
void fs_group_norm_forward(
    const float *x, const float *weight, const float *bias, float *y, float *mean, float *rstd,
    size_t samples, size_t positions, size_t channels, size_t groups, float epsilon) {
    for (size_t s = 0; s < samples; s++) {
        size_t start = s * positions * channels;
        for (size_t group = 0; group < groups;) {
            group_batch b = batch_at(positions, channels, groups, group);
            float *batch_mean = mean + s * groups + group;
            float *batch_rstd = rstd + s * groups + group;
            double average[COLUMN_TILE];
            group_averages(x + start, NULL, 0, b, average);
            for (size_t g = 0; g < group_count(b); g++) {
                batch_mean[g] = (float)average[g];
            }
            group_averages(x + start, batch_mean, 1, b, average);
            for (size_t g = 0; g < group_count(b); g++) {
                batch_rstd[g] = (float)(1.0 / sqrt(average[g] + (double)epsilon));
            }
            normalize_groups(x + start, weight, bias, batch_mean, batch_rstd, b, y + start);
            group += group_count(b);
        }
    }
}

// What the gradient of a batch needs: average(g) and average(g n) of each group, with n the normalised value
// and g = dy weight its gradient. On the way adds up dweight and dbias.
FS_INLINE void gradient_averages(
    const float *restrict x, const float *weight, const float *mean, const float *rstd,
    const float *restrict dy,
    group_batch b, float *dweight, float *dbias, float *restrict average, float *restrict slope) {
    double size = (double)(b.positions * b.group_size);
    double gradient_sum[COLUMN_TILE] = {0}, product_sum[COLUMN_TILE] = {0};
    for (size_t c = b.first; c < b.last; c += COLUMN_TILE) {
        size_t width = smaller(COLUMN_TILE, b.last - c);
        float center[COLUMN_TILE], factor[COLUMN_TILE];
        spread(mean, width, b.group_size, center);
        spread(rstd, width, b.group_size, factor);
        for (size_t first = 0; first < b.positions; first += ROW_RUN) {
            float gradients[COLUMN_TILE] = {0}, products[COLUMN_TILE] = {0};
            for (size_t position = first; position < smaller(first + ROW_RUN, b.positions); position++) {
                const float *restrict row = x + position * b.channels + c;
                const float *restrict gradient = dy + position * b.channels + c;
                for (size_t i = 0; i < width; i++) {
                    gradients[i] += gradient[i];
                    products[i] += gradient[i] * (row[i] - center[i]) * factor[i];
                }
            }
            for (size_t i = 0; i < width; i++) {
                gradient_sum[i / b.group_size] += gradients[i] * weight[c + i] / size;
                product_sum[i / b.group_size] += products[i] * weight[c + i] / size;
            }
            if (dbias) {
                tile_add(dbias + c, gradients, width);
            }
            if (dweight) {
                tile_add(dweight + c, products, width);
            }
        }
    }
    for (size_t g = 0; g < group_count(b); g++) {
        average[g] = (float)gradient_sum[g];
        slope[g] = (float)product_sum[g];
    }
}

// dx += rstd (g - average(g) - n average(g n)).
FS_INLINE void add_group_gradient(
    const float *restrict x, const float *weight, const float *mean, const float *rstd,
    const float *restrict dy,
    group_batch b, const float *average, const float *slope, float *restrict dx) {
    for (size_t c = b.first; c < b.last; c += COLUMN_TILE) {
        size_t width = smaller(COLUMN_TILE, b.last - c);
        float center[COLUMN_TILE], factor[COLUMN_TILE], shift[COLUMN_TILE], pull[COLUMN_TILE];
        spread(mean, width, b.group_size, center);
        spread(rstd, width, b.group_size, factor);
        spread(average, width, b.group_size, shift);
        spread(slope, width, b.group_size, pull);
        for (size_t at = c; at < b.positions * b.channels; at += b.channels) {
            FS_INDEPENDENT
            for (size_t i = 0; i < width; i++) {
                float n = (x[at + i] - center[i]) * factor[i];
                dx[at + i] += factor[i] * (dy[at + i] * weight[c + i] - shift[i] - n * pull[i]);
            }
        }
    }
}

FS_CLONES
void fs_group_norm_backward(
    const float *x, const float *weight, const float *mean, const float *rstd, const float *dy,
    float *dx, float *dweight, float *dbias, size_t samples, size_t positions, size_t channels,
    size_t groups) {
    for (size_t s = 0; s < samples; s++) {
        size_t start = s * positions * channels;
        for (size_t group = 0; group < groups;) {
            group_batch b = batch_at(positions, channels, groups, group);
            const float *batch_mean = mean + s * groups + group;
            const float *batch_rstd = rstd + s * groups + group;
            float average[COLUMN_TILE], slope[COLUMN_TILE];
            gradient_averages(
                x + start, weight, batch_mean, batch_rstd, dy + start, b, dweight, dbias, average, slope);
            if (dx) {
                add_group_gradient(
                    x + start, weight, batch_mean, batch_rstd, dy + start, b, average, slope, dx + start);
            }
            group += group_count(b);
        }
    }
}
