/*
 * Any bytes as the comment record: once as the record's text, once as its fields. What is accepted
 * comes back when it is encoded again.
 */
#include <assert.h>
#include <string.h>

#include "archive/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_archive(const struct archive_record *a, const struct archive_record *b)
{
    assert(a->version == b->version && strcmp(a->program, b->program) == 0);
    assert(strcmp(a->facts.host_system, b->facts.host_system) == 0);
    assert(bytes_equal(a->options, b->options));
    assert(a->facts.root_count == b->facts.root_count);
    for (size_t i = 0; i < a->facts.root_count; i++) {
        assert(strcmp(a->facts.roots[i].name, b->facts.roots[i].name) == 0);
        assert(strcmp(a->facts.roots[i].absolute_path, b->facts.roots[i].absolute_path) == 0);
        assert(strcmp(a->facts.roots[i].file_system, b->facts.roots[i].file_system) == 0);
        assert(strcmp(a->facts.roots[i].volume, b->facts.roots[i].volume) == 0);
    }
}

static void check_ntfs(const struct member_record *a, const struct member_record *b)
{
    static const struct pairs none;

    assert(a->is_reparse == b->is_reparse && a->kind == b->kind);
    assert(bytes_equal(a->reparse, b->reparse) && a->folder_flavour == b->folder_flavour);
    assert(pairs_equal(a->xattrs ? a->xattrs : &none, b->xattrs ? b->xattrs : &none));
}

static void check_same(const struct member_record *a, const struct member_record *b)
{
    check_ntfs(a, b);
    assert(a->has_archive == b->has_archive && a->is_socket == b->is_socket &&
           a->shared == b->shared);
    assert(a->known == b->known && a->mode == b->mode && a->flags == b->flags);
    assert(a->link_count == b->link_count);
    assert(timestamp_compare(a->btime, b->btime) == 0 &&
           timestamp_compare(a->ctime, b->ctime) == 0);
    if (a->has_archive)
        check_archive(&a->archive, &b->archive);
}

static void check_comment(struct bytes comment)
{
    struct record_memory memory = {0}, memory_again = {0};
    struct member_record r, again;
    struct buffer text = {0};
    struct error err = {0};
    if (record_decode(comment, &memory, &r, &err) == 0 && record_encode(&text, &r, &err) == 0) {
        assert(record_decode(buffer_bytes(&text), &memory_again, &again, &err) == 0);
        check_same(&r, &again);
    }
    error_release(&err);
    buffer_release(&text);
    record_memory_release(&memory);
    record_memory_release(&memory_again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buffer text = {0};
    struct error err = {0};
    check_comment(bytes_make(data, size));
    assert(buffer_append(&text, "holdfast:1:", 11, &err) == 0);
    assert(text_base64_encode(&text, bytes_make(data, size), &err) == 0);
    check_comment(buffer_bytes(&text));
    buffer_release(&text);
    return 0;
}
