#include "CJPEG.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

// A reading in progress: libjpeg hands its error manager, the first member, to what follows.
typedef struct {
    struct jpeg_error_mgr manager;
    jmp_buf end;
    fs_jpeg_picture *picture;
} failure;

static void keep_message(j_common_ptr info) {
    failure *failed = (failure *)info->err;
    char message[JMSG_LENGTH_MAX];
    info->err->format_message(info, message);
    strncpy(failed->picture->message, message, sizeof failed->picture->message - 1);
}

static void fail(j_common_ptr info) {
    keep_message(info);
    longjmp(((failure *)info->err)->end, 1);
}

// Levels below zero are warnings: the data are damaged.
static void refuse_warnings(j_common_ptr info, int level) {
    if (level < 0) fail(info);
}

static void print_nothing(j_common_ptr info) { (void)info; }

static int read_jpeg(const uint8_t *bytes, size_t byte_count, fs_jpeg_picture *picture, uint8_t *pixels) {
    struct jpeg_decompress_struct info;
    failure failed;
    memset(&info, 0, sizeof info);
    memset(picture->message, 0, sizeof picture->message);
    info.err = jpeg_std_error(&failed.manager);
    failed.manager.error_exit = fail;
    failed.manager.emit_message = refuse_warnings;
    failed.manager.output_message = print_nothing;
    failed.picture = picture;
    if (setjmp(failed.end)) {
        jpeg_destroy_decompress(&info);
        return 0;
    }
    jpeg_create_decompress(&info);
    jpeg_mem_src(&info, bytes, byte_count);
    jpeg_read_header(&info, TRUE);
    if (pixels == NULL) {
        picture->width = info.image_width;
        picture->height = info.image_height;
    } else {
        info.out_color_space = JCS_RGB;
        jpeg_start_decompress(&info);
        while (info.output_scanline < info.output_height) {
            JSAMPROW row = pixels + (size_t)info.output_scanline * info.output_width * 3;
            jpeg_read_scanlines(&info, &row, 1);
        }
        jpeg_finish_decompress(&info);
    }
    jpeg_destroy_decompress(&info);
    return 1;
}

int fs_jpeg_read_header(const uint8_t *bytes, size_t byte_count, fs_jpeg_picture *picture) {
    return read_jpeg(bytes, byte_count, picture, NULL);
}

int fs_jpeg_read_pixels(
    const uint8_t *bytes, size_t byte_count, fs_jpeg_picture *picture, uint8_t *pixels) {
    return read_jpeg(bytes, byte_count, picture, pixels);
}
