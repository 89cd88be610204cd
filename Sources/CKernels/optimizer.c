// Parameter updates.

#include "CKernels.h"
#include "clones.h"

#include <math.h>

FS_CLONES
void fs_adamw(
    float *restrict parameters, const float *restrict gradients, float *restrict m, float *restrict v,
    size_t count, float learning_rate, float beta1, float beta2, float epsilon, float weight_decay,
    float correction1, float correction2, float gradient_scale) {
    float keep = 1.0f - learning_rate * weight_decay;
    float step = learning_rate / correction1;
    float spread = 1.0f / sqrtf(correction2);
    for (size_t i = 0; i < count; i++) {
        float g = gradient_scale * gradients[i];
        float first = beta1 * m[i] + (1.0f - beta1) * g;
        float second = beta2 * v[i] + (1.0f - beta2) * g * g;
        m[i] = first;
        v[i] = second;
        parameters[i] = keep * parameters[i] - step * first / (sqrtf(second) * spread + epsilon);
    }
}
