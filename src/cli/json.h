/*
 * json.h: one JSON object a line on standard output. Byte strings that are no UTF-8 get the key
 * with "_b64" and base64.
 */
#ifndef HOLDFAST_CLI_JSON_H
#define HOLDFAST_CLI_JSON_H

#include "base/buffer.h"
#include "base/text.h"

/* Builds a line; reuse it. Out of memory the line is dropped and the program's exit status says so.
 */
struct json {
    struct buffer line;
    bool comma;
    bool failed;
};

/* Begins an object with its "type". */
void json_begin(struct json *j, const char *type);
void json_text(struct json *j, const char *key, const char *value);
/* A byte string that may be no UTF-8. */
void json_bytes(struct json *j, const char *key, struct bytes value);
void json_number(struct json *j, const char *key, uint64_t value);
void json_signed(struct json *j, const char *key, int64_t value);
void json_bool(struct json *j, const char *key, bool value);
/* An array of byte strings: begin, items, end. */
void json_array_begin(struct json *j, const char *key);
void json_array_bytes(struct json *j, struct bytes value);
void json_array_end(struct json *j);
/* Writes the line. */
void json_end(struct json *j);
void json_release(struct json *j);

#endif
