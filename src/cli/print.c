/*
 * print.c: printf for names.
 */
#include "cli/print.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"

void print_bytes(FILE *to, struct bytes b)
{
    struct buffer text = {0};
    struct error err = {0};

    if (text_mask(&text, b, &err) == 0 && text.size != 0)
        (void)fwrite(text.data, 1, text.size, to);
    error_release(&err);
    buffer_release(&text);
}

void print_quoted(FILE *to, struct bytes b)
{
    fputc('\'', to);
    print_bytes(to, b);
    fputc('\'', to);
}

void print_problem(FILE *to, const struct error *err)
{
    char text[256];

    if (err->operation != NULL)
        fprintf(to, "%s%s", err->operation, err->path != NULL ? " " : ": ");
    if (err->path != NULL) {
        print_quoted(to, bytes_make(err->path, err->path_bytes));
        fputs(": ", to);
    }
    print_bytes(to, bytes_of(error_reason(err, text, sizeof text)));
}

const char *print_size(char *text, size_t text_bytes, uint64_t bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    double value = (double)bytes;
    size_t unit = 0;

    while (value >= 999.5 && unit + 1 < sizeof units / sizeof units[0]) {
        value /= 1000;
        unit++;
    }
    (void)snprintf(text, text_bytes, unit == 0 || value >= 99.95 ? "%.0f %s" : "%.1f %s", value,
                   units[unit]);
    return text;
}

void print_count(FILE *to, uint64_t count, const char *one, const char *many)
{
    fprintf(to, "%" PRIu64 " %s", count, count == 1 ? one : many);
}
