#ifndef FLOWSTEER_CJPEG_H
#define FLOWSTEER_CJPEG_H
// libjpeg's reading side (https://libjpeg-turbo.org), whose errors leave by longjmp: they become return values here,
// before Swift sees them.

#include <stddef.h>
#include <stdint.h>

/// What the header says, and what went wrong, if anything did.
typedef struct {
    uint32_t width, height;
    char message[256];
} fs_jpeg_picture;

/// Reads a header; returns 1, or 0 with a message.
int fs_jpeg_read_header(const uint8_t *bytes, size_t byte_count, fs_jpeg_picture *picture);

/// Reads a picture whose header was read into `3 · width · height` bytes of red, green and blue; returns 1, or 0 with a
/// message. Damage that libjpeg would paint over is an error.
int fs_jpeg_read_pixels(
    const uint8_t *bytes, size_t byte_count, fs_jpeg_picture *picture, uint8_t *pixels);

#endif
