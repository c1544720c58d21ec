#include "cli/formats.h"

#include <string.h>

#include "archive/input.h"

static bool ends_with(const char *text, const char *end)
{
    size_t text_bytes = strlen(text), end_bytes = strlen(end);

    return text_bytes > end_bytes && strcmp(text + text_bytes - end_bytes, end) == 0;
}

int formats_choose(const char *format, const char *archive, struct archive_format *out,
                   struct error *err)
{
    static const struct {
        const char *suffix, *format;
        struct archive_format is;
    } known[] = {
        {".tar.zst", "tar.zst", {.container = CONTAINER_ZSTD}},
        {".tzst", "zst", {.container = CONTAINER_ZSTD}},
        {".tar.gz", "tar.gz", {.container = CONTAINER_GZIP}},
        {".tgz", "gz", {.container = CONTAINER_GZIP}},
        {".tar", "tar", {.container = CONTAINER_PLAIN}},
        {".zip", "zip", {.is_export = true, .format = EXPORT_ZIP}},
        {".7z", "7z", {.is_export = true, .format = EXPORT_7Z}},
        {".cpio", "cpio", {.is_export = true, .format = EXPORT_CPIO}},
    };

    if (format == NULL && strcmp(archive, "-") == 0)
        format = "tar.zst";
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (format != NULL ? strcmp(format, known[i].format) == 0
                           : ends_with(archive, known[i].suffix)) {
            *out = known[i].is;
            return 0;
        }
    }
    if (format != NULL)
        return error_set(err, ERROR_USAGE, NULL,
                         "unknown format '%s': tar.zst, tar.gz, tar, zip, 7z or cpio", format);
    return error_set(err, ERROR_USAGE, NULL,
                     "the last name is the archive to write, and has no suffix that says how "
                     "(.tar.zst, .tar.gz, .tar, .zip, .7z, .cpio); give it last, or --format: '%s'",
                     archive);
}

int formats_level(const struct archive_format *f, const struct option_number *level, int *out,
                  struct error *err)
{
    long highest = f->container == CONTAINER_ZSTD ? 19 : 9;

    *out = (int)level->value;
    if (f->is_export)
        highest = export_facts(f->format)->highest_level;
    if (level->is_set && highest == 0)
        return error_set(err, ERROR_USAGE, NULL, "--level: a %s archive is not compressed",
                         export_facts(f->format)->name);
    if (level->is_set && (level->value < 1 || level->value > highest))
        return error_set(err, ERROR_USAGE, NULL, "--level is 1 to %ld for this format", highest);
    return 0;
}

static bool is_tar(os_handle handle)
{
    struct error ignored = {0};
    struct input *in = NULL;
    bool tar = false;

    if (input_open(handle, INPUT_AS_IT_COMES, &in, &ignored) == 0) {
        tar = input_kind(in) == INPUT_TAR;
        input_close(in);
    } else {
        os_close(handle);
    }
    error_release(&ignored);
    return tar;
}

int formats_may_replace(const struct archive_format *f, const char *path, struct error *err)
{
    uint8_t head[EXPORT_HEAD_BYTES];
    size_t got = 0;
    os_handle handle;
    int result;

    if (os_open_path(path, &handle, err) != 0)
        return -1;
    if (!f->is_export)
        return is_tar(handle);
    result = os_read(handle, head, sizeof head, &got, err);
    os_close(handle);
    return result != 0 ? -1 : export_recognises(f->format, bytes_make(head, got));
}
