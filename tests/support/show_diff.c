#include "support/show_diff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void put_bytes(char *out, struct bytes b)
{
    if (b.size > 0)
        strncat(out, (const char *)b.data, b.size);
}

static void put_words(char *out, const struct difference_pair *pair)
{
    static const char *const words[] = {" missing", " extra",  " kind",      " data",
                                        " unknown", " target", " device",    " joined(",
                                        " split(",  "",        " unreadable"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        uint32_t bit = (uint32_t)1 << i;
        if (!(pair->differs & bit))
            continue;
        strcat(out, words[i]);
        if (bit == DIFFERS_JOINED)
            put_bytes(out, pair->joined);
        if (bit == DIFFERS_SPLIT)
            put_bytes(out, pair->other);
        strcat(out, bit == DIFFERS_JOINED || bit == DIFFERS_SPLIT ? ")" : "");
    }
}

static void put_fields(char *out, uint32_t fields)
{
    static const char letters[] = "mogt   fxA";
    char text[2] = "";
    strcat(out, fields != 0 ? " " : "");
    for (size_t i = 0; letters[i] != '\0'; i++) {
        text[0] = letters[i];
        if (fields & ((uint32_t)1 << i))
            strcat(out, text);
    }
}

void show_diff(struct list_source *want, struct list_source *have,
               const struct diff_options *options, char *out)
{
    struct error err = {0};
    struct diff *d = NULL;
    const struct difference_pair *pair = NULL;
    int got;
    assert_int_equal(diff_new(list_source(want), list_source(have), options, &d, &err), 0);
    *out = '\0';
    while ((got = diff_next(d, &pair, &err)) > 0) {
        assert_int_equal(pair->fields != 0, (pair->differs & DIFFERS_METADATA) != 0);
        if (pair->differs == 0)
            continue;
        strcat(out, *out != '\0' ? "; " : "");
        put_bytes(out, pair->want != NULL ? pair->want->path : pair->have->path);
        put_words(out, pair);
        put_fields(out, pair->fields);
    }
    assert_int_equal(got, 0);
    diff_free(d);
    source_close(list_source(want));
    source_close(list_source(have));
}
