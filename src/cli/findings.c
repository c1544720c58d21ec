/*
 * findings.c: one line or object a difference.
 */
#include "cli/findings.h"

#include <inttypes.h>
#include <stdio.h>

#include "cli/print.h"

static const char *const finding_names[FINDING_KINDS] = {"missing", "extra",  "kind",  "data",
                                                         "target",  "joined", "split", "metadata"};

/* One difference as it is told. What is not there has no data. */
struct finding {
    enum finding_kind kind;
    struct bytes path;
    const char *field;
    struct bytes a, b, other;
};

static void finding_json(struct findings *to, const struct finding *f)
{
    struct json *j = &to->report->json;

    json_begin(j, "difference");
    json_text(j, "kind", finding_names[f->kind]);
    json_bytes(j, "path", f->path);
    if (f->field != NULL)
        json_bytes(j, "field", bytes_of(f->field));
    if (f->a.data != NULL)
        json_bytes(j, "a", f->a);
    if (f->b.data != NULL)
        json_bytes(j, "b", f->b);
    if (f->other.size != 0)
        json_bytes(j, "other", f->other);
    json_end(j);
}

static void finding_line(struct findings *to, const struct finding *f)
{
    report_clear_progress(to->report);
    printf("%-8s  ", finding_names[f->kind]);
    print_bytes(stdout, f->path);
    if (f->kind == FINDING_JOINED || f->kind == FINDING_SPLIT) {
        fputs(": same file as ", stdout);
        print_quoted(stdout, f->other);
        fputs(f->kind == FINDING_JOINED ? " in B only" : " in A only", stdout);
    } else if (f->a.data != NULL) {
        fputs(": ", stdout);
        if (f->field != NULL) {
            print_bytes(stdout, bytes_of(f->field));
            fputc(' ', stdout);
        }
        print_bytes(stdout, f->a);
        fputs(" in A, ", stdout);
        print_bytes(stdout, f->b);
        fputs(" in B", stdout);
    } else if (f->field != NULL) {
        fputs(": ", stdout);
        print_bytes(stdout, bytes_of(f->field));
    }
    fputc('\n', stdout);
}

static void tell(struct findings *to, const struct finding *f)
{
    to->found[f->kind]++;
    if (to->report->settings.json)
        finding_json(to, f);
    else
        finding_line(to, f);
}

/* ---- Metadata ---- */

static void tell_field(struct findings *to, struct bytes path, const char *field, const char *a,
                       const char *b)
{
    struct finding f = {
        .kind = FINDING_METADATA, .path = path, .field = field, .a = bytes_of(a), .b = bytes_of(b)};

    tell(to, &f);
}

static void tell_numbers(struct findings *to, struct bytes path, const char *field,
                         const uint64_t numbers[2])
{
    char a[32], b[32];

    (void)snprintf(a, sizeof a, "%" PRIu64, numbers[0]);
    (void)snprintf(b, sizeof b, "%" PRIu64, numbers[1]);
    tell_field(to, path, field, a, b);
}

static void tell_mtime(struct findings *to, const struct entry *want, const struct entry *have)
{
    struct buffer a = {0}, b = {0};
    struct error err = {0};

    if (text_append_time(&a, want->meta.mtime, &err) == 0 &&
        text_append_time(&b, have->meta.mtime, &err) == 0 && buffer_terminate(&a, &err) == 0 &&
        buffer_terminate(&b, &err) == 0)
        tell_field(to, want->path, "mtime", (const char *)a.data, (const char *)b.data);
    error_release(&err);
    buffer_release(&a);
    buffer_release(&b);
}

/* Extended attributes one by one; ACLs by the names that people know them by. */
static void tell_xattrs(struct findings *to, const struct entry *want, const struct entry *have)
{
    size_t place = 0;
    struct bytes name;

    while (diff_xattrs(want, have, &place, &name) == 1) {
        struct finding f = {.kind = FINDING_METADATA, .path = want->path};
        struct buffer field = {0};
        struct error err = {0};

        if (bytes_equal(name, bytes_of("system.posix_acl_access")))
            f.field = "acl";
        else if (bytes_equal(name, bytes_of("system.posix_acl_default")))
            f.field = "default acl";
        else if (buffer_append(&field, "xattr ", 6, &err) == 0 &&
                 buffer_append(&field, name.data, name.size, &err) == 0 &&
                 buffer_terminate(&field, &err) == 0)
            f.field = (const char *)field.data;
        tell(to, &f);
        error_release(&err);
        buffer_release(&field);
    }
}

static void tell_metadata(struct findings *to, const struct difference_pair *pair)
{
    const struct entry *want = pair->want, *have = pair->have;
    const struct metadata *a = &want->meta, *b = &have->meta;

    if ((pair->fields & METADATA_MODE) != 0) {
        char x[16], y[16];

        (void)snprintf(x, sizeof x, "%04o", (unsigned)a->mode);
        (void)snprintf(y, sizeof y, "%04o", (unsigned)b->mode);
        tell_field(to, want->path, "mode", x, y);
    }
    if ((pair->fields & METADATA_OWNER) != 0)
        tell_numbers(to, want->path, "owner", (uint64_t[2]){a->owner, b->owner});
    if ((pair->fields & METADATA_GROUP) != 0)
        tell_numbers(to, want->path, "group", (uint64_t[2]){a->group, b->group});
    if ((pair->fields & METADATA_MTIME) != 0)
        tell_mtime(to, want, have);
    if ((pair->fields & METADATA_FLAGS) != 0)
        tell_numbers(to, want->path, "flags", (uint64_t[2]){a->flags, b->flags});
    if ((pair->fields & (METADATA_XATTRS | METADATA_ACL)) != 0)
        tell_xattrs(to, want, have);
}

static void tell_kinds(struct findings *to, const struct difference_pair *pair)
{
    tell(to, &(struct finding){.kind = FINDING_KIND,
                               .path = pair->want->path,
                               .a = bytes_of(entry_kind_name(pair->want->kind)),
                               .b = bytes_of(entry_kind_name(pair->have->kind))});
}

/* Links of one text may be different reparse points. */
static void tell_reparse(struct findings *to, const struct difference_pair *pair)
{
    const struct entry *want = pair->want, *have = pair->have;

    if (want->folder_flavour != have->folder_flavour)
        tell_field(to, want->path, "flavour", want->folder_flavour ? "folder" : "file",
                   have->folder_flavour ? "folder" : "file");
    if (bytes_equal(want->reparse, have->reparse))
        return;
    tell(to, &(struct finding){
                 .kind = FINDING_METADATA, .path = want->path, .field = "reparse buffer"});
}

static void tell_target(struct findings *to, const struct difference_pair *pair)
{
    if (bytes_equal(pair->want->target, pair->have->target)) {
        tell_reparse(to, pair);
        return;
    }
    tell(to, &(struct finding){.kind = FINDING_TARGET,
                               .path = pair->want->path,
                               .a = pair->want->target,
                               .b = pair->have->target});
}

static void tell_device(struct findings *to, const struct difference_pair *pair)
{
    char a[32], b[32];

    (void)snprintf(a, sizeof a, "%u:%u", pair->want->device_major, pair->want->device_minor);
    (void)snprintf(b, sizeof b, "%u:%u", pair->have->device_major, pair->have->device_minor);
    tell(to, &(struct finding){.kind = FINDING_METADATA,
                               .path = pair->want->path,
                               .field = "device",
                               .a = bytes_of(a),
                               .b = bytes_of(b)});
}

void findings_tell_data(struct findings *to, struct bytes path)
{
    tell(to, &(struct finding){.kind = FINDING_DATA, .path = path});
}

void findings_tell_pair(struct findings *to, const struct difference_pair *pair)
{
    struct bytes path = pair->want != NULL ? pair->want->path : pair->have->path;

    if ((pair->differs & DIFFERS_MISSING) != 0)
        tell(to, &(struct finding){.kind = FINDING_MISSING, .path = path});
    if ((pair->differs & DIFFERS_EXTRA) != 0)
        tell(to, &(struct finding){.kind = FINDING_EXTRA, .path = path});
    if ((pair->differs & DIFFERS_KIND) != 0)
        tell_kinds(to, pair);
    if ((pair->differs & DIFFERS_TARGET) != 0)
        tell_target(to, pair);
    if ((pair->differs & DIFFERS_DEVICE) != 0)
        tell_device(to, pair);
    if ((pair->differs & DIFFERS_JOINED) != 0)
        tell(to, &(struct finding){.kind = FINDING_JOINED, .path = path, .other = pair->joined});
    if ((pair->differs & DIFFERS_SPLIT) != 0)
        tell(to, &(struct finding){.kind = FINDING_SPLIT, .path = path, .other = pair->other});
    if ((pair->differs & DIFFERS_DATA) != 0)
        findings_tell_data(to, path);
    if ((pair->differs & DIFFERS_METADATA) != 0)
        tell_metadata(to, pair);
}

uint64_t findings_count(const struct findings *f)
{
    uint64_t sum = 0;

    for (int i = 0; i < FINDING_KINDS; i++)
        sum += f->found[i];
    return sum;
}

void findings_print_summary(const struct findings *f)
{
    uint64_t count = findings_count(f);

    if (count == 0) {
        fputs("equal: ", stdout);
        return;
    }
    print_count(stdout, count, "difference", "differences");
    fputs(" (", stdout);
    for (int i = 0, written = 0; i < FINDING_KINDS; i++) {
        if (f->found[i] != 0)
            printf("%s%s %" PRIu64, written++ != 0 ? ", " : "", finding_names[i], f->found[i]);
    }
    fputs(") in ", stdout);
}

void findings_json_summary(const struct findings *f)
{
    json_number(&f->report->json, "differences", findings_count(f));
    for (int i = 0; i < FINDING_KINDS; i++)
        json_number(&f->report->json, finding_names[i], f->found[i]);
}
