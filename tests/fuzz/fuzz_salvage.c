/*
 * The bytes of any file as a damaged archive of ours: by its index, and by its stream as salvage
 * reads it. What is read as a content the index has the hash of is that content; entries come in
 * order, and nothing hangs, leaks or grows without bound.
 */
#define _GNU_SOURCE /* memfd_create */
#include <assert.h>
#include <sys/mman.h>
#include <unistd.h>

#include "archive/index_source.h"
#include "archive/reader.h"
#include "tree/data_hash.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* How much of the contents is read, and how many entries. */
enum { MOST_CONTENT_BYTES = 16 << 20, MOST_ENTRIES = 10000 };

static void notice(struct watcher *w, const struct notice *n)
{
    (void)w;
    assert(n->kind != NOTICE_CHANGE);
}

static void progress(struct watcher *w, uint64_t entries, uint64_t bytes, struct bytes path)
{
    (void)w;
    (void)entries;
    (void)bytes;
    (void)path;
}

static bool stopped(struct watcher *w)
{
    (void)w;
    return false;
}

static struct watcher watcher = {notice, progress, stopped};

/* Reads the content: 0, or -1 if it cannot be read to its end. Looks at no more than `*left`. */
static int read_content(struct data *d, struct data_hasher *h, uint64_t *left)
{
    static uint8_t room[70000];
    struct error err = {0};
    int result = 0;

    data_hasher_begin(h, d->size);
    for (size_t i = 0; result == 0 && i < d->extent_count; i++) {
        struct extent x = d->extents[i];
        size_t got = 1;

        assert(x.length <= d->size && x.offset <= d->size - x.length);
        while (result == 0 && x.length != 0) {
            size_t most = x.length < sizeof room ? (size_t)x.length : sizeof room;

            if (*left < most ||
                data_read(d, x.offset, (struct data_span){room, most}, &got, &err) || got == 0) {
                result = -1;
                break;
            }
            data_hasher_add(h, x.offset, bytes_make(room, got));
            *left -= got;
            x.offset += got;
            x.length -= got;
        }
    }
    error_release(&err);
    return result;
}

static void read_file(struct source *s, const struct entry *e, struct data_hasher *h,
                      uint64_t *left)
{
    struct error err = {0};
    struct data *d;

    if (source_open_data(s, &d, &err) == 0) {
        if (read_content(d, h, left) == 0 && e->has_data_hash) {
            struct hash128 hash = data_hasher_result(h);

            assert(hash.low == e->data_hash.low && hash.high == e->data_hash.high);
        }
        data_close(d);
    }
    error_release(&err);
}

static void read_source(struct source *s)
{
    uint64_t left = MOST_CONTENT_BYTES;
    struct buffer path = {0};
    struct error err = {0};
    struct data_hasher *h;
    const struct entry *e;

    assert(data_hasher_new(&h, NULL) == 0);
    for (int i = 0; i < MOST_ENTRIES && source_next(s, &e, &err) == 1; i++) {
        assert(e->path.size != 0);
        if (source_facts(s)->ordered && e->problem_scope == PROBLEM_NONE && path.size != 0)
            assert(path_compare(buffer_bytes(&path), e->path) < 0);
        buffer_clear(&path);
        assert(buffer_append(&path, e->path.data, e->path.size, NULL) == 0);
        if (e->problem_scope == PROBLEM_NONE && e->kind == ENTRY_FILE && e->first_name.size == 0)
            read_file(s, e, h, &left);
    }
    data_hasher_free(h);
    buffer_release(&path);
    error_release(&err);
}

static void read_index(os_handle handle)
{
    struct error err = {0};
    struct source *s;

    if (index_source_open(handle, INDEX_CHECKED_FIRST, &s, &err) == 1) {
        read_source(s);
        source_close(s);
    } else {
        os_close(handle);
    }
    error_release(&err);
}

static void read_stream(os_handle handle)
{
    struct reader_options options = {.salvage = true, .watcher = &watcher};
    struct error err = {0};
    struct source *s;
    struct input *in;

    if (input_open(handle, INPUT_WHOLE_FRAMES, &in, &err)) {
        os_close(handle);
    } else if (input_kind(in) != INPUT_TAR || reader_open(in, &options, &s, &err)) {
        input_close(in);
    } else {
        read_source(s);
        source_close(s);
    }
    error_release(&err);
}

static os_handle file_of(const uint8_t *data, size_t size)
{
    int file = memfd_create("archive", MFD_CLOEXEC);

    assert(file >= 0 && write(file, data, size) == (ssize_t)size);
    return file;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_index(file_of(data, size));
    read_stream(file_of(data, size));
    return 0;
}
