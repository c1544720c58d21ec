/*
 * print.h: text for people: masked names, sizes, counts.
 */
#ifndef HOLDFAST_CLI_PRINT_H
#define HOLDFAST_CLI_PRINT_H

#include <stdio.h>

#include "base/buffer.h"
#include "base/error.h"

/* A name or target, safe on a terminal (SAFETY R17). */
void print_bytes(FILE *to, struct bytes b);
/* The same between single quotes. */
void print_quoted(FILE *to, struct bytes b);
/* An error as "operation 'path': reason". */
void print_problem(FILE *to, const struct error *err);
/* "1.5 GB": powers of 1000, three digits. Returns `text`. */
const char *print_size(char *text, size_t text_bytes, uint64_t bytes);
/* "1 file", "2 files". */
void print_count(FILE *to, uint64_t count, const char *one, const char *many);

#endif
