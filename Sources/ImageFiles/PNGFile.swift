import CPNG
import Glibc

/// Pictures in PNG files (ISO/IEC 15948), through libpng's simplified interface.
package enum PNGFile {
    /// The most pixels that are read: a small file can claim to be a huge picture.
    package static let largestPixelCount = 1 << 28

    /// Reads any PNG as 8-bit sRGB, with opacity if it has any.
    package static func read(_ path: String) throws(ImageFileError) -> Picture {
        var image = unsafe emptyImage()
        let isBegun = unsafe png_image_begin_read_from_file(&image, path) != 0
        return try unsafe finishReading(&image, isBegun: isBegun, path: path)
    }

    /// Reads a PNG that is in memory; `path` names it in errors.
    package static func decode(_ bytes: [UInt8], path: String = "PNG") throws(ImageFileError) -> Picture {
        let (picture, failure): (Picture?, ImageFileError?) = unsafe bytes.withUnsafeBytes { raw in
            var image = unsafe emptyImage()
            let isBegun = unsafe png_image_begin_read_from_memory(&image, raw.baseAddress, raw.count) != 0
            do throws(ImageFileError) {
                return (try unsafe finishReading(&image, isBegun: isBegun, path: path), nil)
            } catch {
                return (nil, error)
            }
        }
        guard let picture else { throw failure ?? .unreadable(path: path, reason: "no picture") }
        return picture
    }

    /// Writes the picture to a temporary file beside `path`, waits for the disk, then gives it its name.
    package static func write(_ picture: Picture, to path: String) throws(ImageFileError) {
        let temporary = "\(path).tmp-\(getpid())-\(UInt64.random(in: 0 ... .max))"
        var image = unsafe image(of: picture)
        guard unsafe png_image_write_to_file(&image, temporary, 0, picture.pixels, 0, nil) != 0 else {
            throw .unwritable(path: path, reason: unsafe message(of: &image))
        }
        do throws(ImageFileError) {
            try synchronize(temporary)
            guard unsafe rename(temporary, path) == 0 else { throw .lastSystemError(path) }
            try synchronize(folder(of: path))
        } catch {
            unsafe unlink(temporary)
            throw error
        }
    }

    /// The bytes of the picture's file; equal pictures have equal ones.
    package static func encode(_ picture: Picture) throws(ImageFileError) -> [UInt8] {
        var image = unsafe image(of: picture)
        // libpng's own bound: deflate's worst case, a filter byte per row, and the small chunks.
        let rawByteCount = picture.pixels.count + picture.height
        let capacity = rawByteCount + rawByteCount / 8 + rawByteCount / 64 + 1024
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: capacity) { buffer, initialized in
            var byteCount = png_alloc_size_t(capacity)
            let isWritten =
                unsafe png_image_write_to_memory(
                    &image,
                    buffer.baseAddress,
                    &byteCount,
                    0,
                    picture.pixels,
                    0,
                    nil
                ) != 0
            initialized = isWritten ? Int(byteCount) : 0
        }
        guard !bytes.isEmpty else {
            throw .unwritable(path: "PNG", reason: unsafe message(of: &image))
        }
        return bytes
    }
}

// MARK: - libpng

extension PNGFile {
    private static func emptyImage() -> png_image {
        var image = unsafe png_image()
        unsafe image.version = png_uint_32(PNG_IMAGE_VERSION)
        return unsafe image
    }

    private static func image(of picture: Picture) -> png_image {
        var image = unsafe emptyImage()
        unsafe image.width = png_uint_32(picture.width)
        unsafe image.height = png_uint_32(picture.height)
        unsafe image.format = format(hasOpacity: picture.channels == 4)
        return unsafe image
    }

    private static func format(hasOpacity: Bool) -> png_uint_32 {
        png_uint_32(PNG_FORMAT_FLAG_COLOR | (hasOpacity ? PNG_FORMAT_FLAG_ALPHA : 0))
    }

    /// Reads the pixels of an image whose header was read, and frees what libpng holds for it.
    private static func finishReading(
        _ image: inout png_image,
        isBegun: Bool,
        path: String
    ) throws(ImageFileError) -> Picture {
        defer { unsafe png_image_free(&image) }
        guard isBegun else { throw .unreadable(path: path, reason: unsafe message(of: &image)) }
        let (width, height) = unsafe (Int(image.width), Int(image.height))
        guard width * height <= largestPixelCount else {
            throw .tooLarge(path: path, width: width, height: height)
        }
        let hasOpacity = unsafe image.format & png_uint_32(PNG_FORMAT_FLAG_ALPHA) != 0
        unsafe image.format = format(hasOpacity: hasOpacity)
        // Without this libpng takes 16-bit files that do not say otherwise for linear light.
        unsafe image.flags |= png_uint_32(PNG_IMAGE_FLAG_16BIT_sRGB)
        let channels = hasOpacity ? 4 : 3
        var pixels = [UInt8](repeating: 0, count: width * height * channels)
        guard unsafe png_image_finish_read(&image, nil, &pixels, 0, nil) != 0 else {
            throw .unreadable(path: path, reason: unsafe message(of: &image))
        }
        return Picture(width: width, height: height, channels: channels, pixels: pixels)
    }

    private static func message(of image: inout png_image) -> String {
        unsafe withUnsafeBytes(of: &image.message) { raw in
            unsafe String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}

// MARK: - The disk

extension PNGFile {
    private static func synchronize(_ path: String) throws(ImageFileError) {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .lastSystemError(path) }
        defer { _ = close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .lastSystemError(path) }
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}

extension ImageFileError {
    fileprivate static func lastSystemError(_ path: String) -> ImageFileError {
        .unwritable(path: path, reason: unsafe String(cString: strerror(errno)))
    }
}
