// Copies that change the order of elements, and their adjoints, which add.

#include "CKernels.h"
#include "clones.h"

#include <string.h>

FS_INLINE void add_run(float *restrict target, const float *restrict source, size_t count) {
    for (size_t i = 0; i < count; i++) {
        target[i] += source[i];
    }
}

FS_INLINE void copy_run(float *restrict target, const float *restrict source, size_t count) {
    memcpy(target, source, count * sizeof *target);
}

// ---- Pictures and tokens ----

typedef struct {
    size_t samples, channels, height, width, patch;
} picture_shape;

// Where row y of a token's patch starts in its picture.
FS_INLINE size_t picture_offset(picture_shape p, size_t s, size_t channel, size_t token_y, size_t y, size_t token_x) {
    return ((s * p.channels + channel) * p.height + token_y * p.patch + y) * p.width + token_x * p.patch;
}

// Both orders visit tokens in turn; `channels_first` tokens run (channel, y, x), the others (y, x, channel).
// `into_tokens`: tokens from pictures, else pictures from tokens; `adding`: += instead of =.
FS_INLINE void move_patches(
    float *restrict pictures, float *restrict tokens, picture_shape p, int channels_first, int into_tokens,
    int adding) {
    size_t element = 0;
    size_t pixel_step = channels_first ? 1 : p.channels;
    for (size_t s = 0; s < p.samples; s++) {
        for (size_t token_y = 0; token_y < p.height / p.patch; token_y++) {
            for (size_t token_x = 0; token_x < p.width / p.patch; token_x++) {
                for (size_t c = 0; c < p.channels; c++) {
                    for (size_t y = 0; y < p.patch; y++) {
                        float *pixel = pictures + picture_offset(p, s, c, token_y, y, token_x);
                        size_t first = channels_first ? (c * p.patch + y) * p.patch : y * p.patch * p.channels + c;
                        float *part = tokens + element + first;
                        for (size_t x = 0; x < p.patch; x++) {
                            float *target = into_tokens ? part + x * pixel_step : pixel + x;
                            float source = into_tokens ? pixel[x] : part[x * pixel_step];
                            *target = adding ? *target + source : source;
                        }
                    }
                }
                element += p.channels * p.patch * p.patch;
            }
        }
    }
}

void fs_patchify(
    const float *pictures, float *tokens, size_t samples, size_t channels, size_t height, size_t width, size_t patch) {
    picture_shape shape = {samples, channels, height, width, patch};
    move_patches((float *)pictures, tokens, shape, 1, 1, 0);
}

void fs_patchify_backward(
    const float *dtokens, float *dpictures, size_t samples, size_t channels, size_t height, size_t width,
    size_t patch) {
    picture_shape shape = {samples, channels, height, width, patch};
    move_patches(dpictures, (float *)dtokens, shape, 1, 0, 1);
}

void fs_unpatchify(
    const float *tokens, float *pictures, size_t samples, size_t channels, size_t height, size_t width, size_t patch) {
    picture_shape shape = {samples, channels, height, width, patch};
    move_patches(pictures, (float *)tokens, shape, 0, 0, 0);
}

void fs_unpatchify_backward(
    const float *dpictures, float *dtokens, size_t samples, size_t channels, size_t height, size_t width,
    size_t patch) {
    picture_shape shape = {samples, channels, height, width, patch};
    move_patches((float *)dpictures, dtokens, shape, 0, 1, 1);
}

// ---- Convolution windows ----

// A window's row ky is one run of the picture's row y + ky - pad, cut at the picture's left and right border.
typedef struct {
    int inside;      // the row lies in the picture
    size_t before;   // window columns left of the picture
    size_t count;    // window columns in the picture
    size_t source;   // element of x where the run starts
} window_run;

FS_INLINE window_run run_at(
    size_t sample, size_t y, size_t x, size_t ky, size_t height, size_t width, size_t channels, size_t kernel) {
    size_t pad = kernel / 2;
    window_run run = {0, 0, 0, 0};
    if (y + ky < pad || y + ky - pad >= height) {
        return run;
    }
    size_t first = x < pad ? 0 : x - pad;
    size_t end = x + pad + 1 < width ? x + pad + 1 : width;
    run.inside = 1;
    run.before = x < pad ? pad - x : 0;
    run.count = end - first;
    run.source = ((sample * height + y + ky - pad) * width + first) * channels;
    return run;
}

void fs_image_to_columns(
    const float *x, float *columns, size_t samples, size_t height, size_t width, size_t channels, size_t kernel) {
    float *target = columns;
    size_t length = kernel * channels;
    for (size_t row = 0; row < samples * height * width; row++) {
        size_t column = row % width, line = row / width % height, sample = row / (width * height);
        for (size_t ky = 0; ky < kernel; ky++) {
            window_run run = run_at(sample, line, column, ky, height, width, channels, kernel);
            if (run.count < kernel) {
                memset(target, 0, length * sizeof *target);
            }
            if (run.inside) {
                copy_run(target + run.before * channels, x + run.source, run.count * channels);
            }
            target += length;
        }
    }
}

FS_CLONES
void fs_image_to_columns_backward(
    const float *dcolumns, float *dx, size_t samples, size_t height, size_t width, size_t channels, size_t kernel) {
    const float *source = dcolumns;
    for (size_t row = 0; row < samples * height * width; row++) {
        size_t column = row % width, line = row / width % height, sample = row / (width * height);
        for (size_t ky = 0; ky < kernel; ky++) {
            window_run run = run_at(sample, line, column, ky, height, width, channels, kernel);
            if (run.inside) {
                add_run(dx + run.source, source + run.before * channels, run.count * channels);
            }
            source += kernel * channels;
        }
    }
}

// ---- Rows ----

void fs_gather_rows(const float *table, const int32_t *index, float *y, size_t count, size_t columns) {
    for (size_t i = 0; i < count; i++) {
        copy_run(y + i * columns, table + (size_t)index[i] * columns, columns);
    }
}

FS_CLONES
void fs_scatter_add_rows(const float *dy, const int32_t *index, float *dtable, size_t count, size_t columns) {
    for (size_t i = 0; i < count; i++) {
        add_run(dtable + (size_t)index[i] * columns, dy + i * columns, columns);
    }
}

void fs_copy_strided(
    const float *source, size_t source_stride, float *target, size_t target_stride, size_t rows, size_t columns) {
    for (size_t r = 0; r < rows; r++) {
        copy_run(target + r * target_stride, source + r * source_stride, columns);
    }
}

FS_CLONES
void fs_add_strided(
    const float *source, size_t source_stride, float *target, size_t target_stride, size_t rows, size_t columns) {
    for (size_t r = 0; r < rows; r++) {
        add_run(target + r * target_stride, source + r * source_stride, columns);
    }
}
