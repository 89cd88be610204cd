// Losses of logits and distances with an edge, summed; their slopes.

#include "CKernels.h"
#include "clones.h"

#include <math.h>

static inline double sigmoid(double x) {
    return x >= 0.0 ? 1.0 / (1.0 + exp(-x)) : exp(x) / (1.0 + exp(x));
}

double fs_softplus_sum(const float *x, float sign, size_t count) {
    double total = 0.0;
    for (size_t i = 0; i < count; i++) {
        double a = sign * (double)x[i];
        total += (a > 0.0 ? a : 0.0) + log1p(exp(-fabs(a)));
    }
    return total;
}

void fs_softplus_backward(const float *x, float sign, float coefficient, float *dx, size_t count) {
    for (size_t i = 0; i < count; i++) {
        dx[i] += (float)(coefficient * sign * sigmoid(sign * (double)x[i]));
    }
}

double fs_sigmoid_distance_sum(const float *x, float target, size_t count) {
    double total = 0.0;
    for (size_t i = 0; i < count; i++) {
        double a = sigmoid(x[i]) - target;
        total += a * a;
    }
    return total;
}

void fs_sigmoid_distance_backward(
    const float *x, float target, float coefficient, float *dx, size_t count) {
    for (size_t i = 0; i < count; i++) {
        double y = sigmoid(x[i]);
        dx[i] += (float)(2.0 * coefficient * (y - target) * y * (1.0 - y));
    }
}

FS_CLONES
double fs_pseudo_huber_sum(const float *restrict x, const float *restrict y, float edge, size_t count) {
    double total = 0.0;
    for (size_t i = 0; i < count; i++) {
        double a = (double)x[i] - y[i];
        total += sqrt(a * a + (double)edge * edge) - edge;
    }
    return total;
}

FS_CLONES
void fs_pseudo_huber_backward(
    const float *restrict x,
    const float *restrict y,
    float edge,
    float coefficient,
    float *restrict dx,
    size_t count) {
    for (size_t i = 0; i < count; i++) {
        float a = x[i] - y[i];
        dx[i] += coefficient * a / sqrtf(a * a + edge * edge);
    }
}
