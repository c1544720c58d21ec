#include "cli/changes.h"

#include <inttypes.h>
#include <stdio.h>

#include "cli/print.h"
#include "os/os.h"

bool changes_any(const struct transfer *t)
{
    const struct transfer_counts *c = &t->counts;

    return t->options.mode == TRANSFER_APPLY &&
           c->created + c->older + c->linked + c->replaced + c->updated + c->deleted != 0;
}

const char *changes_what_remains(const struct transfer *t, const struct error *err)
{
    if (!changes_any(t))
        return NULL;
    return os_error_is_full(err) ? "What was made until then stays. Make room there, then run the "
                                   "same command again: "
                                   "it goes on where this run stopped."
                                 : "What was made until then stays. Run the same command again: it "
                                   "goes on where this "
                                   "run stopped.";
}

void changes_print(const struct transfer *t, const struct changes_words *words,
                   const struct report *report)
{
    const struct transfer_counts *c = &t->counts;
    char size[32];

    fprintf(stderr, "%s ", words->done);
    print_count(stderr, c->entries, "entry", "entries");
    fprintf(stderr,
            ": %" PRIu64 " created, %" PRIu64 " linked, %" PRIu64 " replaced, %" PRIu64
            " updated, %" PRIu64 " unchanged",
            c->created, c->linked, c->replaced, c->updated, c->unchanged);
    if (t->options.older_count != 0)
        fprintf(stderr, ", %" PRIu64 " linked to older copies", c->older);
    if (c->deleted != 0 || t->options.delete_extra)
        fprintf(stderr, ", %" PRIu64 " deleted", c->deleted);
    if (c->extras != 0)
        fprintf(stderr, ", %" PRIu64 " not in the %s left alone", c->extras, words->lacked);
    fprintf(stderr, "; %s written", print_size(size, sizeof size, c->bytes));
    report_print_troubles(report);
    fputc('\n', stderr);
}

void changes_json(const struct transfer *t, struct report *report, int status)
{
    const struct transfer_counts *c = &t->counts;
    struct json *j = &report->json;

    report_json_summary(report, status);
    json_number(j, "entries", c->entries);
    json_number(j, "created", c->created);
    json_number(j, "linked", c->linked);
    json_number(j, "linked_to_older", c->older);
    json_number(j, "replaced", c->replaced);
    json_number(j, "updated", c->updated);
    json_number(j, "unchanged", c->unchanged);
    json_number(j, "deleted", c->deleted);
    json_number(j, "extras", c->extras);
    json_number(j, "refused", c->refused);
    json_number(j, "bytes", c->bytes);
}
