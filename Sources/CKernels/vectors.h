// Vectors of one instruction set. Included once for each, after defining
//   LANES     floats of a vector register
//   ROWS      rows of a tile; ROWS * 2 accumulators, two columns and one broadcast fill the register file
//   BLOCK_ROWS, BLOCK_DEPTH  a block of A, which stays in the second-level cache
//   FS(name)  the name of a function or type in this instruction set
// and inside a `#pragma clang attribute` that turns the instruction set on.

#include "CKernels.h"
#include "clones.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define COLUMNS (2 * LANES)

// FS_CASE(1) ... FS_CASE(ROWS).
#if ROWS == 4
#define FS_ROW_COUNTS FS_CASE(1) FS_CASE(2) FS_CASE(3) FS_CASE(4)
#elif ROWS == 6
#define FS_ROW_COUNTS FS_CASE(1) FS_CASE(2) FS_CASE(3) FS_CASE(4) FS_CASE(5) FS_CASE(6)
#elif ROWS == 8
#define FS_ROW_COUNTS \
    FS_CASE(1) FS_CASE(2) FS_CASE(3) FS_CASE(4) FS_CASE(5) FS_CASE(6) FS_CASE(7) FS_CASE(8)
#elif ROWS == 12
#define FS_ROW_COUNTS                                                                                      \
    FS_CASE(1) FS_CASE(2) FS_CASE(3) FS_CASE(4) FS_CASE(5) FS_CASE(6) FS_CASE(7) FS_CASE(8) FS_CASE(9)     \
    FS_CASE(10) FS_CASE(11) FS_CASE(12)
#endif

typedef float FS(vector) __attribute__((ext_vector_type(LANES), aligned(4), may_alias));
typedef float FS(quad) __attribute__((ext_vector_type(4), aligned(4), may_alias));

FS_INLINE FS(vector) FS(splat)(float x) {
    return x - (FS(vector)){};
}

FS_INLINE size_t FS(smaller)(size_t a, size_t b) {
    return a < b ? a : b;
}

FS_INLINE size_t FS(panels)(size_t columns) {
    return (columns + COLUMNS - 1) / COLUMNS;
}

FS_INLINE float FS(float_from_bfloat16)(uint16_t bits) {
    uint32_t wide = (uint32_t)bits << 16;
    float value;
    memcpy(&value, &wide, sizeof value);
    return value;
}

FS_INLINE float FS(element)(const void *b, fs_scalar type, size_t index) {
    return type == FS_FLOAT32 ? ((const float *)b)[index]
                              : FS(float_from_bfloat16)(((const uint16_t *)b)[index]);
}
