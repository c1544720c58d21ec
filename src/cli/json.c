/*
 * json.c: RFC 8259 text, written as it is built.
 */
#include "cli/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void put(struct json *j, const void *bytes, size_t count)
{
    struct error err = {0};

    if (!j->failed && buffer_append(&j->line, bytes, count, &err) != 0)
        j->failed = true;
    error_release(&err);
}

static void put_text(struct json *j, const char *text)
{
    put(j, text, strlen(text));
}

/* A quoted string of valid UTF-8. */
static void put_string(struct json *j, struct bytes text)
{
    size_t from = 0;

    put_text(j, "\"");
    for (size_t i = 0; i < text.size; i++) {
        uint8_t c = text.data[i];
        char escape[8];

        if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f)
            continue;
        put(j, text.data + from, i - from);
        if (c == '"' || c == '\\')
            (void)snprintf(escape, sizeof escape, "\\%c", c);
        else
            (void)snprintf(escape, sizeof escape, "\\u%04x", c);
        put_text(j, escape);
        from = i + 1;
    }
    if (text.size != 0)
        put(j, text.data + from, text.size - from);
    put_text(j, "\"");
}

static void put_key(struct json *j, const char *key, const char *suffix)
{
    if (j->comma)
        put_text(j, ",");
    j->comma = true;
    put_text(j, "\"");
    put_text(j, key);
    put_text(j, suffix);
    put_text(j, "\":");
}

static void put_base64(struct json *j, struct bytes value)
{
    struct error err = {0};

    put_text(j, "\"");
    if (!j->failed && text_base64_encode(&j->line, value, &err) != 0)
        j->failed = true;
    error_release(&err);
    put_text(j, "\"");
}

void json_begin(struct json *j, const char *type)
{
    buffer_clear(&j->line);
    j->comma = false;
    put_text(j, "{");
    json_text(j, "type", type);
}

void json_text(struct json *j, const char *key, const char *value)
{
    json_bytes(j, key, bytes_of(value));
}

void json_bytes(struct json *j, const char *key, struct bytes value)
{
    if (text_is_utf8(value)) {
        put_key(j, key, "");
        put_string(j, value);
    } else {
        put_key(j, key, "_b64");
        put_base64(j, value);
    }
}

void json_number(struct json *j, const char *key, uint64_t value)
{
    char text[32];

    (void)snprintf(text, sizeof text, "%" PRIu64, value);
    put_key(j, key, "");
    put_text(j, text);
}

void json_signed(struct json *j, const char *key, int64_t value)
{
    char text[32];

    (void)snprintf(text, sizeof text, "%" PRId64, value);
    put_key(j, key, "");
    put_text(j, text);
}

void json_bool(struct json *j, const char *key, bool value)
{
    put_key(j, key, "");
    put_text(j, value ? "true" : "false");
}

void json_array_begin(struct json *j, const char *key)
{
    put_key(j, key, "");
    put_text(j, "[");
    j->comma = false;
}

void json_array_bytes(struct json *j, struct bytes value)
{
    if (j->comma)
        put_text(j, ",");
    j->comma = true;
    if (text_is_utf8(value)) {
        put_string(j, value);
    } else {
        put_text(j, "{\"b64\":");
        put_base64(j, value);
        put_text(j, "}");
    }
}

void json_array_end(struct json *j)
{
    put_text(j, "]");
    j->comma = true;
}

void json_end(struct json *j)
{
    put_text(j, "}\n");
    if (!j->failed)
        (void)fwrite(j->line.data, 1, j->line.size, stdout);
}

void json_release(struct json *j)
{
    buffer_release(&j->line);
}
