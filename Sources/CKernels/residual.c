// Sums of a stream and a branch: gates, biases, position tables, per-sample coefficients.

#include "CKernels.h"
#include "clones.h"
#include "column_sums.h"

FS_CLONES
void fs_gated_residual_forward(
    const float *x, const float *branch, const float *gate, size_t stride, float *y,
    size_t rows, size_t columns, size_t rows_per_sample) {
    for (size_t r = 0; r < rows; r++) {
        const float *x_row = x + r * columns;
        const float *branch_row = branch + r * columns;
        const float *gate_row = gate + r / rows_per_sample * stride;
        float *y_row = y + r * columns;
        FS_INDEPENDENT
        for (size_t c = 0; c < columns; c++) {
            y_row[c] = x_row[c] + gate_row[c] * branch_row[c];
        }
    }
}

FS_INLINE void gate_row(
    const float *restrict gate, const float *restrict dy, float *restrict dbranch, size_t columns, int adding) {
    for (size_t c = 0; c < columns; c++) {
        dbranch[c] = adding ? dbranch[c] + gate[c] * dy[c] : gate[c] * dy[c];
    }
}

FS_CLONES
void fs_gated_residual_backward(
    const float *branch, const float *gate, size_t stride, const float *dy, float *dbranch, int adding,
    float *dgate, size_t rows, size_t columns, size_t rows_per_sample) {
    size_t count;
    for (size_t first = 0; first < rows; first += count) {
        count = smaller(smaller(ROW_RUN, rows - first), rows_per_sample - first % rows_per_sample);
        size_t modulation = first / rows_per_sample * stride;
        for (size_t r = first; dbranch && r < first + count; r++) {
            gate_row(gate + modulation, dy + r * columns, dbranch + r * columns, columns, adding);
        }
        if (dgate) {
            add_column_products(
                dy + first * columns, branch + first * columns, dgate + modulation, count, columns);
        }
    }
}

FS_CLONES
void fs_add_bias(const float *restrict bias, float *restrict y, size_t rows, size_t columns) {
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < columns; c++) {
            y[r * columns + c] += bias[c];
        }
    }
}

FS_CLONES
void fs_column_sums(const float *restrict x, float *restrict sum, size_t rows, size_t columns) {
    add_column_sums(x, sum, rows, columns);
}

FS_CLONES
void fs_add_periodic_rows(
    const float *x, const float *table, float *y, size_t rows, size_t columns, size_t period) {
    for (size_t r = 0; r < rows; r++) {
        const float *x_row = x + r * columns;
        const float *table_row = table + r % period * columns;
        float *y_row = y + r * columns;
        FS_INDEPENDENT
        for (size_t c = 0; c < columns; c++) {
            y_row[c] = x_row[c] + table_row[c];
        }
    }
}

FS_CLONES
void fs_add_scaled_samples(
    const float *base, const float *coefficient, const float *v, float *y, size_t samples, size_t count) {
    for (size_t s = 0; s < samples; s++) {
        float a = coefficient[s];
        FS_INDEPENDENT
        for (size_t i = s * count; i < (s + 1) * count; i++) {
            y[i] = base[i] + a * v[i];
        }
    }
}

FS_CLONES
void fs_add_scaled_samples_backward(
    const float *restrict coefficient, const float *restrict dy, float *restrict dv, size_t samples,
    size_t count) {
    for (size_t s = 0; s < samples; s++) {
        float a = coefficient[s];
        for (size_t i = s * count; i < (s + 1) * count; i++) {
            dv[i] += a * dy[i];
        }
    }
}

FS_CLONES
void fs_accumulate(float a, const float *restrict x, float *restrict y, size_t count) {
    for (size_t i = 0; i < count; i++) {
        y[i] += a * x[i];
    }
}

FS_CLONES
void fs_raise(float floor, float *x, size_t count) {
    for (size_t i = 0; i < count; i++) {
        x[i] = x[i] < floor ? floor : x[i];
    }
}

FS_CLONES
void fs_scale(float a, float *x, size_t count) {
    for (size_t i = 0; i < count; i++) {
        x[i] *= a;
    }
}

FS_CLONES
void fs_blend(float a, const float *restrict x, float b, float *restrict y, size_t count) {
    for (size_t i = 0; i < count; i++) {
        y[i] = a * x[i] + b * y[i];
    }
}

FS_CLONES
void fs_guide(
    const float *conditional, const float *unconditional, const float *scale, float *v, size_t samples,
    size_t count) {
    for (size_t s = 0; s < samples; s++) {
        float a = scale[s];
        FS_INDEPENDENT
        for (size_t i = s * count; i < (s + 1) * count; i++) {
            v[i] = unconditional[i] + a * (conditional[i] - unconditional[i]);
        }
    }
}

FS_CLONES
void fs_multiply(const float *x, const float *y, float *z, size_t count) {
    FS_INDEPENDENT
    for (size_t i = 0; i < count; i++) {
        z[i] = x[i] * y[i];
    }
}

FS_CLONES
void fs_accumulate_product(const float *restrict x, const float *restrict y, float *restrict z, size_t count) {
    for (size_t i = 0; i < count; i++) {
        z[i] += x[i] * y[i];
    }
}
