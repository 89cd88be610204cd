// What glibc keeps from Swift behind _GNU_SOURCE.

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>

#include "CKernels.h"

int fs_exchange_names(const char *path, const char *other) {
    return renameat2(AT_FDCWD, path, AT_FDCWD, other, RENAME_EXCHANGE);
}
