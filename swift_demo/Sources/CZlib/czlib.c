#include "CZlib.h"

#include <limits.h>
#include <zlib.h>

// zlib starts a stream by a macro, which Swift cannot call, and counts in 32 bits: both end here.

int czlib_inflate(const uint8_t *input, size_t input_count, uint8_t *output, size_t output_count) {
    if (input_count > UINT_MAX || output_count > UINT_MAX) return -1;
    z_stream stream = {0};
    // Negative: no header around the stream, as in ZIP archives.
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return -1;
    stream.next_in = (Bytef *)input;
    stream.avail_in = (uInt)input_count;
    stream.next_out = output;
    stream.avail_out = (uInt)output_count;
    int code = inflate(&stream, Z_FINISH);
    int is_whole = code == Z_STREAM_END && stream.avail_in == 0 && stream.avail_out == 0;
    inflateEnd(&stream);
    return is_whole ? 0 : -1;
}

uint32_t czlib_crc32(const uint8_t *bytes, size_t count) {
    uLong sum = crc32(0, Z_NULL, 0);
    while (count > 0) {
        uInt part = count > UINT_MAX ? UINT_MAX : (uInt)count;
        sum = crc32(sum, bytes, part);
        bytes += part;
        count -= part;
    }
    return (uint32_t)sum;
}
