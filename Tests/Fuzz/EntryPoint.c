// What libFuzzer, which brings its own `main`, calls with every input. In C, because SwiftPM gives every program
// whose target is in Swift a `main` of its own name.
#include <stddef.h>
#include <stdint.h>

// Tests/FuzzTargets/EntryPoint.swift
int fs_fuzz(const uint8_t *input, size_t byte_count);

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t byte_count) { return fs_fuzz(input, byte_count); }
