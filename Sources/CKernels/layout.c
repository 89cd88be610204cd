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

typedef enum { CHANNEL_Y_X, Y_X_CHANNEL } token_order;

// One row of one channel of a picture: where it starts, and where in the tokens its pixels lie.
typedef struct {
    size_t pixel;        // element of the pictures where the row starts
    size_t element;      // element of the tokens of its first pixel
    size_t tokens;       // how many tokens the row crosses
    size_t token_step;   // elements from one token to the next
    size_t x_step;       // elements from one pixel of a token to the next
} picture_row;

FS_INLINE size_t row_count(picture_shape p) {
    return p.samples * p.channels * p.height;
}

FS_INLINE picture_row row_at(picture_shape p, token_order order, size_t index) {
    size_t y = index % p.height, channel = index / p.height % p.channels;
    size_t sample = index / (p.height * p.channels);
    size_t tokens = p.width / p.patch, token_size = p.channels * p.patch * p.patch;
    size_t first_token = (sample * (p.height / p.patch) + y / p.patch) * tokens;
    size_t in_token = order == CHANNEL_Y_X ? (channel * p.patch + y % p.patch) * p.patch
                                           : y % p.patch * p.patch * p.channels + channel;
    return (picture_row){
        .pixel = index * p.width,
        .element = first_token * token_size + in_token,
        .tokens = tokens,
        .token_step = token_size,
        .x_step = order == CHANNEL_Y_X ? 1 : p.channels,
    };
}

FS_INLINE void pictures_to_tokens(
    const float *restrict pictures, float *restrict tokens, picture_shape p, token_order order, int adding) {
    for (size_t index = 0; index < row_count(p); index++) {
        picture_row row = row_at(p, order, index);
        const float *pixel = pictures + row.pixel;
        for (size_t t = 0; t < row.tokens; t++) {
            float *element = tokens + row.element + t * row.token_step;
            for (size_t x = 0; x < p.patch; x++, pixel++, element += row.x_step) {
                *element = adding ? *element + *pixel : *pixel;
            }
        }
    }
}

FS_INLINE void tokens_to_pictures(
    const float *restrict tokens, float *restrict pictures, picture_shape p, token_order order, int adding) {
    for (size_t index = 0; index < row_count(p); index++) {
        picture_row row = row_at(p, order, index);
        float *pixel = pictures + row.pixel;
        for (size_t t = 0; t < row.tokens; t++) {
            const float *element = tokens + row.element + t * row.token_step;
            for (size_t x = 0; x < p.patch; x++, pixel++, element += row.x_step) {
                *pixel = adding ? *pixel + *element : *element;
            }
        }
    }
}

void fs_patchify(
    const float *pictures, float *tokens, size_t samples, size_t channels, size_t height, size_t width,
    size_t patch) {
    picture_shape shape = {samples, channels, height, width, patch};
    pictures_to_tokens(pictures, tokens, shape, CHANNEL_Y_X, 0);
}

void fs_patchify_backward(
    const float *dtokens, float *dpictures, size_t samples, size_t channels, size_t height, size_t width,
    size_t patch) {
    picture_shape shape = {samples, channels, height, width, patch};
    tokens_to_pictures(dtokens, dpictures, shape, CHANNEL_Y_X, 1);
}

void fs_unpatchify(
    const float *tokens, float *pictures, size_t samples, size_t channels, size_t height, size_t width,
    size_t patch) {
    picture_shape shape = {samples, channels, height, width, patch};
    tokens_to_pictures(tokens, pictures, shape, Y_X_CHANNEL, 0);
}

void fs_unpatchify_backward(
    const float *dpictures, float *dtokens, size_t samples, size_t channels, size_t height, size_t width,
    size_t patch) {
    picture_shape shape = {samples, channels, height, width, patch};
    pictures_to_tokens(dpictures, dtokens, shape, Y_X_CHANNEL, 1);
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
    size_t sample, size_t y, size_t x, size_t ky, size_t height, size_t width, size_t channels,
    size_t kernel) {
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
    const float *x, float *columns, size_t samples, size_t height, size_t width, size_t channels,
    size_t kernel) {
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
    const float *dcolumns, float *dx, size_t samples, size_t height, size_t width, size_t channels,
    size_t kernel) {
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
    const float *source, size_t source_stride, float *target, size_t target_stride, size_t rows,
    size_t columns) {
    for (size_t r = 0; r < rows; r++) {
        copy_run(target + r * target_stride, source + r * source_stride, columns);
    }
}

// Sixteen rows of the target at a time, which stay in the cache while all rows of the source pass.
void fs_add_transposed(const float *source, float *target, size_t rows, size_t columns) {
    enum { AT_ONCE = 16 };
    for (size_t first = 0; first < columns; first += AT_ONCE) {
        size_t end = first + AT_ONCE < columns ? first + AT_ONCE : columns;
        for (size_t r = 0; r < rows; r++) {
            for (size_t c = first; c < end; c++) {
                target[c * rows + r] += source[r * columns + c];
            }
        }
    }
}
