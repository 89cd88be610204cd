#ifndef FLOWSTEER_CKERNELS_H
#define FLOWSTEER_CKERNELS_H

// Fused forward and backward kernels over whole buffers.
//
// Every buffer is dense, row-major float32 unless said. `rows` counts rows, `columns` the elements of a row.
// A backward kernel ADDS to the gradient buffers it names (dx, dweight, …), so a caller may accumulate; a
// gradient pointer documented "may be NULL" is then not computed. Buffers never overlap, except where "in
// place" is said. No kernel allocates, locks, traps or reads anything but its arguments.

#include <stddef.h>
#include <stdint.h>

#include "products.h"

// ---- activation.c -----------------------------------------------------------------------------------------

typedef enum {
    FS_GELU_TANH = 0,   // 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))
    FS_GELU_ERF = 1,    // 0.5 x (1 + erf(x / sqrt 2))
    FS_QUICK_GELU = 2,  // x sigmoid(1.702 x)
    FS_SILU = 3,        // x sigmoid(x)
    FS_LEAKY_RELU = 4,  // x > 0 ? x : 0.2 x
    FS_RELU = 5,        // x > 0 ? x : 0
} fs_activation;

// y = f(x); in place allowed (y == x).
void fs_activation_forward(fs_activation kind, const float *x, float *y, size_t count);
// dx = f'(x) dy, or dx += when `adding`.
void fs_activation_backward(
    fs_activation kind, const float *x, const float *dy, float *dx, size_t count, int adding);

// ---- normalization.c --------------------------------------------------------------------------------------

// Layer norm without affine, then modulation: y = (x - mean) * rstd * (1 + scale[s]) + shift[s], s = row / rows_per_sample.
// scale and shift point at one row of `columns` per sample, `stride` floats apart; both NULL: plain layer norm.
// mean, rstd [rows] are written for the backward pass.
void fs_layer_norm_modulate_forward(
    const float *x, const float *shift, const float *scale, size_t stride, float *y, float *mean, float *rstd,
    size_t rows, size_t columns, size_t rows_per_sample, float epsilon);
// dx, dshift, dscale += ; dshift/dscale have the layout of shift/scale (same stride) and may be NULL, as may dx.
void fs_layer_norm_modulate_backward(
    const float *x, const float *scale, size_t stride, const float *mean, const float *rstd, const float *dy,
    float *dx, float *dshift, float *dscale, size_t rows, size_t columns, size_t rows_per_sample);

// Layer norm with affine weight, bias [columns].
void fs_layer_norm_affine_forward(
    const float *x, const float *weight, const float *bias, float *y, float *mean, float *rstd,
    size_t rows, size_t columns, float epsilon);
// dx, dweight, dbias += ; dx, dweight, dbias may be NULL.
void fs_layer_norm_affine_backward(
    const float *x, const float *weight, const float *mean, const float *rstd, const float *dy,
    float *dx, float *dweight, float *dbias, size_t rows, size_t columns);

// Root mean square norm of each row: y = x * rstd * weight[columns], rstd = 1/sqrt(mean(x^2) + epsilon). In place
// allowed (y == x).
void fs_rms_norm_forward(
    const float *x, const float *weight, float *y, float *rstd, size_t rows, size_t columns, float epsilon);
// dx, dweight += ; dx and dweight may be NULL.
void fs_rms_norm_backward(
    const float *x, const float *weight, const float *rstd, const float *dy, float *dx, float *dweight,
    size_t rows, size_t columns);

// Group norm, channels last: x [samples, positions, channels]; statistics over positions x (channels/groups).
// weight, bias [channels]; mean, rstd [samples, groups].
void fs_group_norm_forward(
    const float *x, const float *weight, const float *bias, float *y, float *mean, float *rstd,
    size_t samples, size_t positions, size_t channels, size_t groups, float epsilon);
// dx, dweight, dbias += ; each may be NULL.
void fs_group_norm_backward(
    const float *x, const float *weight, const float *mean, const float *rstd, const float *dy,
    float *dx, float *dweight, float *dbias, size_t samples, size_t positions, size_t channels, size_t groups);

// ---- picture.c --------------------------------------------------------------------------------------------

// sums[c] += sum over positions of x[position, c] - center[c], squares[c] += the same of the squares.
void fs_channel_moments(
    const float *x, const float *center, double *sums, double *squares, size_t positions, size_t channels);
// y = n, or n sigmoid(n) if `silu`, with n = (x - center[c]) * factor[c] + offset[c]; in place allowed (y == x).
void fs_normalize_channels(
    const float *x, const float *center, const float *factor, const float *offset, int silu, float *y,
    size_t positions, size_t channels);

// ---- residual.c -------------------------------------------------------------------------------------------

// y = x + gate[s] * branch, gate one row of `columns` per sample, `stride` floats apart. In place allowed (y == x).
void fs_gated_residual_forward(
    const float *x, const float *branch, const float *gate, size_t stride, float *y,
    size_t rows, size_t columns, size_t rows_per_sample);
// dbranch = gate * dy, or += when `adding` ; dgate (layout of gate) += sum over a sample's rows of dy * branch, which
// is read for nothing else. Each may be NULL.
void fs_gated_residual_backward(
    const float *branch, const float *gate, size_t stride, const float *dy, float *dbranch, int adding, float *dgate,
    size_t rows, size_t columns, size_t rows_per_sample);

// y[r, :] += bias[:].
void fs_add_bias(const float *bias, float *y, size_t rows, size_t columns);
// sum[:] += over rows of x[r, :].
void fs_column_sums(const float *x, float *sum, size_t rows, size_t columns);
// y = x + table[r % period, :]; in place allowed.
void fs_add_periodic_rows(const float *x, const float *table, float *y, size_t rows, size_t columns, size_t period);
// y[s, :] = base[s, :] + coefficient[s] * v[s, :].
void fs_add_scaled_samples(
    const float *base, const float *coefficient, const float *v, float *y, size_t samples, size_t count);
// dv[s, :] += coefficient[s] * dy[s, :].
void fs_add_scaled_samples_backward(
    const float *coefficient, const float *dy, float *dv, size_t samples, size_t count);
// y += a x.
void fs_accumulate(float a, const float *x, float *y, size_t count);
// x = max(x, floor).
void fs_raise(float floor, float *x, size_t count);
// x *= a.
void fs_scale(float a, float *x, size_t count);
// y = a x + b y.
void fs_blend(float a, const float *x, float b, float *y, size_t count);
// v = unconditional + scale[s] (conditional - unconditional), per sample of `count` elements.
void fs_guide(
    const float *conditional, const float *unconditional, const float *scale, float *v, size_t samples, size_t count);
// z = x y, element by element; z may be x or y.
void fs_multiply(const float *x, const float *y, float *z, size_t count);
// z += x y.
void fs_accumulate_product(const float *x, const float *y, float *z, size_t count);

// ---- layout.c ---------------------------------------------------------------------------------------------

// Pictures [samples, channels, height, width] to tokens [samples, (height/patch)(width/patch), channels*patch*patch];
// a token's elements run (channel, y, x), as a convolution weight [out, channel, y, x] is laid out.
void fs_patchify(const float *pictures, float *tokens, size_t samples, size_t channels, size_t height, size_t width, size_t patch);
// pictures += the adjoint of fs_patchify.
void fs_patchify_backward(const float *dtokens, float *dpictures, size_t samples, size_t channels, size_t height, size_t width, size_t patch);
// Tokens whose elements run (y, x, channel), as SD3's final projection lays them out, to pictures.
void fs_unpatchify(const float *tokens, float *pictures, size_t samples, size_t channels, size_t height, size_t width, size_t patch);
// dtokens += the adjoint of fs_unpatchify.
void fs_unpatchify_backward(const float *dpictures, float *dtokens, size_t samples, size_t channels, size_t height, size_t width, size_t patch);
// Channels last: x [samples, height, width, channels] to rows [samples*height*width, kernel*kernel*channels] of zero-padded
// stride-1 windows (kernel odd, padding kernel/2); a row's elements run (ky, kx, channel).
void fs_image_to_columns(const float *x, float *columns, size_t samples, size_t height, size_t width, size_t channels, size_t kernel);
// dx += the adjoint.
void fs_image_to_columns_backward(const float *dcolumns, float *dx, size_t samples, size_t height, size_t width, size_t channels, size_t kernel);
// y[i, :] = table[index[i], :]; the caller has checked the indices.
void fs_gather_rows(const float *table, const int32_t *index, float *y, size_t count, size_t columns);
// dtable[index[i], :] += dy[i, :].
void fs_scatter_add_rows(const float *dy, const int32_t *index, float *dtable, size_t count, size_t columns);
// target[columns, rows] += source[rows, columns] transposed.
void fs_add_transposed(const float *source, float *target, size_t rows, size_t columns);
// Copies `columns` elements of each row between rows of different strides.
void fs_copy_strided(const float *source, size_t source_stride, float *target, size_t target_stride, size_t rows, size_t columns);

// ---- reduction.c ------------------------------------------------------------------------------------------
// Sums are in double, over blocks of fixed size.

double fs_sum(const float *x, size_t count);
double fs_sum_of_squares(const float *x, size_t count);
double fs_dot(const float *x, const float *y, size_t count);
double fs_squared_distance(const float *x, const float *y, size_t count);   // sum (x - y)^2
float fs_largest_absolute_difference(const float *x, const float *y, size_t count);
int fs_all_finite(const float *x, size_t count);
// dx += coefficient * (x - y).
void fs_add_scaled_difference(float coefficient, const float *x, const float *y, float *dx, size_t count);
// sum relu(1 - sign * x).
double fs_hinge_forward(const float *x, float sign, size_t count);
// dx += coefficient * d relu(1 - sign x) / dx.
void fs_hinge_backward(const float *x, float sign, float coefficient, float *dx, size_t count);
// sum(log(1 + exp(sign * x))), and dx += coefficient * its derivative.
double fs_softplus_sum(const float *x, float sign, size_t count);
void fs_softplus_backward(const float *x, float sign, float coefficient, float *dx, size_t count);
// sum((sigmoid(x) - target)^2), and dx += coefficient * its derivative.
double fs_sigmoid_distance_sum(const float *x, float target, size_t count);
void fs_sigmoid_distance_backward(
    const float *x, float target, float coefficient, float *dx, size_t count);
// sum(sqrt((x - y)^2 + edge^2) - edge), and dx += coefficient * its derivative; edge > 0.
double fs_pseudo_huber_sum(const float *x, const float *y, float edge, size_t count);
void fs_pseudo_huber_backward(
    const float *x, const float *y, float edge, float coefficient, float *dx, size_t count);

// ---- optimizer.c ------------------------------------------------------------------------------------------

// AdamW (Loshchilov & Hutter 2019), as torch.optim.AdamW: gradients are multiplied by gradient_scale first;
// p *= 1 - lr*weight_decay; m, v updated; p -= lr * (m/correction1) / (sqrt(v/correction2) + epsilon),
// correction = 1 - beta^step.
void fs_adamw(
    float *parameters, const float *gradients, float *m, float *v, size_t count, float learning_rate, float beta1,
    float beta2, float epsilon, float weight_decay, float correction1, float correction2, float gradient_scale);

// ---- optimizer_bytes.c ------------------------------------------------------------------------------------
// Moments in one byte a number: blocks of FS_MOMENT_BLOCK numbers, the last one shorter, each with a scale. What is
// decoded encodes to the same bytes.

enum { FS_MOMENT_BLOCK = 256 };

typedef enum { FS_FIRST_MOMENT = 0, FS_SECOND_MOMENT = 1 } fs_moment;

// Tables that the functions below read, so many floats of them.
size_t fs_moment_codes_size(void);
void fs_fill_moment_codes(float *codes);

void fs_moment_from_bytes(
    const float *codes, fs_moment moment, const uint8_t *bytes, const float *scales, float *values, size_t count);
void fs_moment_to_bytes(
    const float *codes, fs_moment moment, const float *values, uint8_t *bytes, float *scales, size_t count);
// As fs_adamw; the moments are rounded after the update that they made.
void fs_adamw_bytes(
    const float *codes, float *parameters, const float *gradients, uint8_t *m_bytes, float *m_scales,
    uint8_t *v_bytes, float *v_scales, size_t count, float learning_rate, float beta1, float beta2, float epsilon,
    float weight_decay, float correction1, float correction2, float gradient_scale);

// ---- processors.c -----------------------------------------------------------------------------------------

// The processors that the calling thread may run on, ascending, the first `capacity` of them written; returns how
// many there are, 0 where that cannot be told.
size_t fs_allowed_processors(size_t *processors, size_t capacity);
// Lets the calling thread run on these processors only; where the system refuses, it runs as before.
void fs_allow_processors(const size_t *processors, size_t count);

// ---- random.c ---------------------------------------------------------------------------------------------
// Philox4x32-10 (Salmon et al., SC 2011). Block i of a stream is philox(key, {i low, i high, stream low, stream high}).

void fs_philox4x32(const uint32_t key[2], const uint32_t counter[4], uint32_t output[4]);
// Uniform in (0, 1]: (word >> 8 plus 1) * 2^-24, four a block, in order.
void fs_random_uniform(uint64_t key, uint64_t stream, uint64_t first_block, float *x, size_t count);
// Standard normal by Box-Muller in double, two words a pair: r = sqrt(-2 ln u1), (r cos 2 pi u2, r sin 2 pi u2); four a block.
void fs_random_normal(uint64_t key, uint64_t stream, uint64_t first_block, float *x, size_t count);

// ---- convert.c --------------------------------------------------------------------------------------------
// Sources may have any alignment. Rounding is to nearest even; NaN stays NaN.

void fs_float16_to_float(const void *source, float *target, size_t count);
void fs_bfloat16_to_float(const void *source, float *target, size_t count);
void fs_float_to_float16(const float *source, void *target, size_t count);
void fs_float_to_bfloat16(const float *source, void *target, size_t count);

// ---- crc32c.c ---------------------------------------------------------------------------------------------
// CRC-32C (Castagnoli, RFC 3720), initial and final xor ~0; `crc` continues an earlier result (0 to start).

uint32_t fs_crc32c(uint32_t crc, const void *bytes, size_t count);

// ---- sha256.c ---------------------------------------------------------------------------------------------
// SHA-256 (FIPS 180-4) of each block of groups of blocks that lie one behind the other, a multiple of 64 bytes each: all of
// a group at a time in AVX-512, two at a time by the SHA instructions of CPUs with AVX2; 0, and nothing is written, where
// there are neither.

enum { FS_SHA256_BYTES = 32, FS_SHA256_BLOCKS = 16 };

int fs_sha256_blocks(
    fs_isa isa, const void *bytes, size_t byte_count, size_t group_count, unsigned char *digests);

// ---- memory.c, files.c ------------------------------------------------------------------------------------
// From now on malloc takes blocks of at least so many bytes from the system one by one, and gives them back when freed.

void fs_return_large_blocks(size_t byte_count);
int fs_exchange_names(const char *path, const char *other);   // at once; -1 and errno where nothing changed

// ---- quantize.c -------------------------------------------------------------------------------------------
// Blocks of numbers, the last one shorter: a float, which is the block's largest magnitude / 127, then a signed byte a
// number, of which it is a multiple. Any alignment. A block with a number that is none decodes to numbers that are none.

enum { FS_INT8_BLOCK = 256 };

void fs_float_to_int8(const float *source, void *target, size_t count);
void fs_int8_to_float(const void *source, float *target, size_t count);

#endif
