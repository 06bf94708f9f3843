#ifndef CZLIB_H
#define CZLIB_H

#include <stddef.h>
#include <stdint.h>

/// Unpacks a raw DEFLATE stream that must fill `output` exactly.
/// Returns 0, or -1 where the stream is damaged or gives more or fewer bytes.
int czlib_inflate(const uint8_t *input, size_t input_count, uint8_t *output, size_t output_count);

/// The CRC-32 that ZIP archives store.
uint32_t czlib_crc32(const uint8_t *bytes, size_t count);

#endif
