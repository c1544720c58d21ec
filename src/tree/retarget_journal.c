/*
 * retarget_journal.c: the journal's bytes, of retarget.h. Words between single spaces, all names
 * and targets in base64:
 *
 *     holdfast remap journal 1
 *     folder PATH
 *     link PATH text|reparse FROM TO GROUP       any number of these
 *     end COUNT HASH                             XXH3-128 of all lines above, in hexadecimal
 */
#include "tree/retarget.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/text.h"

static const char title[] = "holdfast remap journal 1";
static const char *const forms[] = {[RETARGET_TEXT] = "text", [RETARGET_REPARSE] = "reparse"};
enum { LINK_WORDS = 6, END_BYTES = 100 };

static int append_text(struct buffer *out, const char *text, struct error *err)
{
    return buffer_append(out, text, strlen(text), err);
}

static int append_base64(struct buffer *out, struct bytes b, struct error *err)
{
    return buffer_append_byte(out, ' ', err) || text_base64_encode(out, b, err) ? -1 : 0;
}

static int append_link(struct buffer *out, const struct retarget *link, struct error *err)
{
    char group[40];

    (void)snprintf(group, sizeof group, " %zu\n", link->group);
    if (append_text(out, "link", err) || append_base64(out, link->path, err) ||
        buffer_append_byte(out, ' ', err) || append_text(out, forms[link->form], err) ||
        append_base64(out, link->from, err) || append_base64(out, link->to, err))
        return -1;
    return append_text(out, group, err);
}

/* The last line of a journal whose other lines these are. */
static void make_end(struct bytes lines, size_t count, char text[END_BYTES])
{
    struct hash128 hash = hash_bytes(lines);

    (void)snprintf(text, END_BYTES, "end %zu %016" PRIx64 "%016" PRIx64 "\n", count, hash.high,
                   hash.low);
}

int retargets_write(const struct retargets *list, struct bytes folder, struct buffer *out,
                    struct error *err)
{
    size_t start = out->size;
    char end[END_BYTES];

    if (append_text(out, title, err) || append_text(out, "\nfolder", err) ||
        append_base64(out, folder, err) || buffer_append_byte(out, '\n', err))
        return -1;
    for (size_t i = 0; i < list->count; i++) {
        struct retarget link = retargets_at(list, i);

        if (append_link(out, &link, err))
            return -1;
    }
    make_end(bytes_make(out->data + start, out->size - start), list->count, end);
    return append_text(out, end, err);
}

/* ---- Reading ---- */

static struct bytes take_until(struct bytes *from, uint8_t mark)
{
    const uint8_t *at = from->size ? memchr(from->data, mark, from->size) : NULL;
    size_t count = at ? (size_t)(at - from->data) : from->size;
    struct bytes taken = bytes_make(from->data, count);

    count += at != NULL;
    *from = bytes_make(from->data + count, from->size - count);
    return taken;
}

static int broken(struct error *err)
{
    return error_set(err, ERROR_FORMAT, NULL, "a line of the journal is malformed");
}

static int read_group(struct bytes word, size_t *out)
{
    *out = 0;
    for (size_t i = 0; i < word.size; i++) {
        if (word.data[i] < '0' || word.data[i] > '9' || *out > SIZE_MAX / 10 - 1)
            return -1;
        *out = *out * 10 + (size_t)(word.data[i] - '0');
    }
    return word.size ? 0 : -1;
}

static int read_link(struct bytes line, struct retargets *list, struct error *err)
{
    struct bytes words[LINK_WORDS];
    struct buffer parts[3] = {0};
    static const size_t encoded[3] = {1, 3, 4};
    struct retarget link = {0};
    int result = 0;

    for (size_t i = 0; i < LINK_WORDS; i++)
        words[i] = take_until(&line, ' ');
    for (size_t i = 0; !result && i < 3; i++)
        result = text_base64_decode(&parts[i], words[encoded[i]], err);
    link.path = buffer_bytes(&parts[0]);
    link.from = buffer_bytes(&parts[1]);
    link.to = buffer_bytes(&parts[2]);
    link.form =
        bytes_equal(words[2], bytes_of(forms[RETARGET_TEXT])) ? RETARGET_TEXT : RETARGET_REPARSE;
    if (!result &&
        (line.size || !bytes_equal(words[0], bytes_of("link")) || !link.path.size ||
         !bytes_equal(words[2], bytes_of(forms[link.form])) || read_group(words[5], &link.group)))
        result = broken(err);
    if (!result)
        result = retargets_add(list, &link, err);
    for (size_t i = 0; i < 3; i++)
        buffer_release(&parts[i]);
    return result;
}

/* Where the last line begins, once it says that the others are what was written. */
static int check_end(struct bytes journal, size_t *begin, struct error *err)
{
    char end[END_BYTES];
    size_t lines = 0, size;

    *begin = journal.size > 0 ? journal.size - 1 : 0;
    while (*begin > 0 && journal.data[*begin - 1] != '\n')
        --*begin;
    for (size_t i = 0; i < *begin; i++)
        lines += journal.data[i] == '\n';
    make_end(bytes_make(journal.data, *begin), lines > 2 ? lines - 2 : 0, end);
    size = strlen(end);
    if (journal.size - *begin == size && memcmp(journal.data + *begin, end, size) == 0)
        return 0;
    return error_set(err, ERROR_FORMAT, NULL,
                     "the journal is damaged or cut short; nothing was changed");
}

static int read_lines(struct bytes lines, struct retargets *list, struct buffer *folder,
                      struct error *err)
{
    struct bytes line;

    (void)take_until(&lines, '\n');
    line = take_until(&lines, '\n');
    if (!bytes_equal(take_until(&line, ' '), bytes_of("folder")))
        return broken(err);
    if (text_base64_decode(folder, line, err))
        return -1;
    while (lines.size) {
        if (read_link(take_until(&lines, '\n'), list, err))
            return -1;
    }
    return 0;
}

int retargets_read(struct bytes journal, struct retargets *list, struct buffer *folder,
                   struct error *err)
{
    struct bytes rest = journal;
    size_t end;

    if (!bytes_equal(take_until(&rest, '\n'), bytes_of(title)))
        return error_set(err, ERROR_FORMAT, NULL, "this is no journal of `holdfast remap`");
    if (check_end(journal, &end, err))
        return -1;
    if (!read_lines(bytes_make(journal.data, end), list, folder, err))
        return 0;
    retargets_release(list);
    return -1;
}
