#ifndef FLOWSTEER_CLONES_H
#define FLOWSTEER_CLONES_H

// One binary for every x86-64 machine: a kernel marked FS_CLONES is compiled for AVX-512, for AVX2 + FMA and
// for the baseline, and the dynamic loader picks one. Helpers are FS_INLINE so that they become part of each
// clone; a helper left out of line would be baseline code.

// Defines __GLIBC__, where it is the C library; others have no such loader support.
#include <stdint.h>

// The loader picks before the thread sanitizer is up, which would crash: under it there is only the baseline.
#if defined(__x86_64__) && defined(__ELF__) && defined(__GLIBC__) && !__has_feature(thread_sanitizer)
#define FS_CLONES __attribute__((target_clones("avx512f", "arch=x86-64-v3", "default")))
#else
#define FS_CLONES
#endif

#define FS_INLINE static inline __attribute__((always_inline))

// Put before a loop whose iterations touch only their own elements: it needs no run-time overlap test, and
// takes the vector path also when a kernel runs in place.
#define FS_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")

#endif
