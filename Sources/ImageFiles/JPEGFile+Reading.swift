import CJPEG

extension JPEGFile {
    /// The first bytes of every JPEG: its start marker and that of the marker behind it.
    static let signature: [UInt8] = [0xFF, 0xD8, 0xFF]

    /// Reads a JPEG that is in memory, baseline or progressive, grey or in colours; `path` names it in errors.
    ///
    /// The orientation that a camera wrote beside the pixels is left alone.
    /// - Throws: ``ImageFileError`` with libjpeg's reason, also for damage it would paint over, and for CMYK.
    package static func decode(_ bytes: [UInt8], path: String = "JPEG") throws(ImageFileError) -> Picture {
        var header = fs_jpeg_picture()
        guard unsafe fs_jpeg_read_header(bytes, bytes.count, &header) != 0 else {
            throw .unreadable(path: path, reason: message(of: &header))
        }
        let (width, height) = (Int(header.width), Int(header.height))
        guard width * height <= PNGFile.largestPixelCount else {
            throw .tooLarge(path: path, width: width, height: height)
        }
        var pixels = [UInt8](repeating: 0, count: width * height * 3)
        guard unsafe fs_jpeg_read_pixels(bytes, bytes.count, &header, &pixels) != 0 else {
            throw .unreadable(path: path, reason: message(of: &header))
        }
        return Picture(width: width, height: height, pixels: pixels)
    }

    private static func message(of header: inout fs_jpeg_picture) -> String {
        unsafe withUnsafeBytes(of: &header.message) { raw in
            unsafe String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}

/// Pictures of the kinds that are read, told apart by their first bytes.
package enum PictureFile {
    /// Reads a PNG or a JPEG that is in memory; `path` names it in errors.
    package static func decode(_ bytes: [UInt8], path: String) throws(ImageFileError) -> Picture {
        if bytes.starts(with: JPEGFile.signature) { return try JPEGFile.decode(bytes, path: path) }
        guard bytes.starts(with: [0x89, 0x50, 0x4E, 0x47]) else {
            throw .unreadable(path: path, reason: "neither PNG nor JPEG")
        }
        return try PNGFile.decode(bytes, path: path)
    }
}
