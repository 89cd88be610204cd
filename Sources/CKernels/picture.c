// Group norm of channels-last pictures in two steps: moments of every channel, and the normalisation of some rows at
// a time, as the convolution that reads them goes along.

#include "CKernels.h"
#include "clones.h"
#include "column_sums.h"
#include "fast_math.h"

FS_CLONES
void fs_channel_moments(
    const float *x, const float *center, double *sums, double *squares, size_t positions, size_t channels) {
    for (size_t c = 0; c < channels; c += COLUMN_TILE) {
        size_t width = smaller(COLUMN_TILE, channels - c);
        for (size_t first = 0; first < positions; first += ROW_RUN) {
            float sum[COLUMN_TILE] = {0}, square[COLUMN_TILE] = {0};
            for (size_t position = first; position < smaller(first + ROW_RUN, positions); position++) {
                const float *restrict row = x + position * channels + c;
                for (size_t i = 0; i < width; i++) {
                    float d = row[i] - center[c + i];
                    sum[i] += d;
                    square[i] += d * d;
                }
            }
            for (size_t i = 0; i < width; i++) {
                sums[c + i] += sum[i];
                squares[c + i] += square[i];
            }
        }
    }
}

FS_CLONES
void fs_normalize_channels(
    const float *x, const float *center, const float *factor, const float *offset, int silu, float *y,
    size_t positions, size_t channels) {
    for (size_t at = 0; at < positions * channels; at += channels) {
        if (silu) {
            FS_INDEPENDENT
            for (size_t c = 0; c < channels; c++) {
                float n = (x[at + c] - center[c]) * factor[c] + offset[c];
                y[at + c] = n * fs_sigmoid(n);
            }
        } else {
            FS_INDEPENDENT
            for (size_t c = 0; c < channels; c++) {
                y[at + c] = (x[at + c] - center[c]) * factor[c] + offset[c];
            }
        }
    }
}
