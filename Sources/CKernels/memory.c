#include "CKernels.h"

#include <limits.h>
#include <malloc.h>

void fs_return_large_blocks(size_t byte_count) {
    // mallopt(3): setting the threshold also keeps it from growing with the blocks that are freed.
    mallopt(M_MMAP_THRESHOLD, byte_count > INT_MAX ? INT_MAX : (int)byte_count);
}
