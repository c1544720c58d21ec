/*
 * container.c: see container.h.
 */
#include "archive/container.h"

uint64_t container_pieces(uint64_t tail_bytes, size_t piece_bytes)
{
    return tail_bytes / piece_bytes + (tail_bytes % piece_bytes != 0);
}

size_t container_piece_bytes(uint64_t left, size_t piece_bytes)
{
    size_t rest = (size_t)(left % piece_bytes);
    return rest != 0 ? rest : piece_bytes;
}

uint32_t container_u32(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

void container_put_u32(uint8_t *at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (8 * i));
}
