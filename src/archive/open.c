/*
 * open.c: tar goes to our own codec, everything else to libarchive.
 */
#include "archive/open.h"

#include "archive/foreign.h"

int open_any_archive(os_handle handle, const struct reader_options *options,
                     struct opened_archive *out, struct error *err)
{
    struct input *in = NULL;
    int result;

    if (input_open(handle, options->salvage ? INPUT_WHOLE_FRAMES : INPUT_AS_IT_COMES, &in, err) !=
        0) {
        os_close(handle);
        return -1;
    }
    *out = (struct opened_archive){.input = in, .is_tar = input_kind(in) == INPUT_TAR};
    if (out->is_tar)
        result = reader_open(in, options, &out->source, err);
    else
        result = foreign_open(in, options->watcher, &out->source, err);
    if (result != 0) {
        input_close(in);
        return -1;
    }
    out->is_ours = out->is_tar && reader_is_ours(out->source);
    out->is_incremental = out->is_tar && reader_is_incremental(out->source);
    return 0;
}

int open_indexed_archive(os_handle handle, const struct reader_options *options,
                         enum index_trust trust, struct opened_archive *out, struct error *err)
{
    struct source *source;
    int found = index_source_open(handle, trust, &source, err);

    if (found == 0)
        return open_any_archive(handle, options, out, err);
    if (found < 0) {
        os_close(handle);
        return -1;
    }
    *out =
        (struct opened_archive){.source = source,
                                .is_ours = true,
                                .is_incremental = index_source_tail(source)->index->base_count != 0,
                                .is_indexed = true};
    return 0;
}

const struct tail *opened_tail(const struct opened_archive *a)
{
    if (a->is_indexed)
        return index_source_tail(a->source);
    return a->is_tar ? reader_tail(a->source) : NULL;
}

bool may_be_archive(const char *path)
{
    struct source *source = NULL;
    struct input *in = NULL;
    struct error err = {0};
    os_handle handle;
    bool maybe = true;

    if (os_open_path(path, &handle, &err) != 0)
        goto done;
    if (input_open(handle, INPUT_AS_IT_COMES, &in, &err) != 0) {
        os_close(handle);
        goto done;
    }
    if (input_kind(in) == INPUT_FOREIGN && foreign_open(in, NULL, &source, &err) != 0)
        maybe = err.kind == ERROR_UNSUPPORTED; /* without libarchive it is not known */
    if (source != NULL)
        source_close(source);
    else
        input_close(in);
done:
    error_release(&err);
    return maybe;
}
