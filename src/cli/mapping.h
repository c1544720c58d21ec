/*
 * mapping.h: the options that give links other targets (--map, --map-file, --rebase, --drive), put
 * to work on a tree, and the table of what became of each link: old target, new target, whether
 * anything is there, outcome.
 */
#ifndef HOLDFAST_CLI_MAPPING_H
#define HOLDFAST_CLI_MAPPING_H

#include "cli/options.h"
#include "cli/report.h"
#include "link/drives.h"
#include "tree/inventory.h"
#include "tree/remap_source.h"

struct map_settings {
    struct remap rules;
    struct drives drives;
    bool rebase;
};
/* --map, --map-file, --drive, --rebase, in this order: for some commands the first ones alone. */
enum { MAP_SPEC_COUNT = 4, MAP_SPECS_IN_PLACE = 3, MAP_SPEC_DRIVE = 2 };
extern const struct option_spec map_specs[MAP_SPEC_COUNT];
void map_settings_release(struct map_settings *s);
/* Groups of options for a command's table; `member` is the struct map_settings in its settings. */
#define MAP_OPTION_GROUP(type, member, specs_used)                                                 \
    {                                                                                              \
        .title = "Where links lead", .specs = map_specs, .count = (specs_used),                    \
        .offset = offsetof(type, member)                                                           \
    }
#define DRIVE_OPTION_GROUP(type, member)                                                           \
    {                                                                                              \
        .title = "Where links lead", .specs = map_specs + MAP_SPEC_DRIVE, .count = 1,              \
        .offset = offsetof(type, member)                                                           \
    }

/* What became of a target. */
enum mapping_outcome {
    MAPPED,       /* it has a new text */
    NOT_MAPPABLE, /* a rule met it, but the link cannot hold what it says */
    INSIDE,       /* no rule met it: it leads into the tree, */
    KEPT_OUTSIDE, /* somewhere else, */
    DANGLING,     /* to nothing, */
    LOOPING,      /* in a circle, */
    UNKNOWN,      /* or nobody knows where */
};
enum { MAPPING_OUTCOMES = UNKNOWN + 1 };

/* How much is told of each link. */
enum mapping_use {
    MAPPING_REMARKS, /* what is not mappable, as a remark (verify) */
    MAPPING_COUNTS,  /* that, as a loss; what was mapped is counted, and links that lead to where a
                        root stood and nothing is now (restore) */
    MAPPING_TABLE,   /* losses, and the table is kept for mapping_tell. Memory grows with the
                        entries: a hash of each, and the links (dry runs, remap) */
};

struct mapping_row;
struct mapping_root;
struct mapping {
    struct remap_listener listener;
    struct map_settings *settings;
    struct report *report;
    enum mapping_use use;
    struct mapping_root *roots;
    size_t root_count;
    struct buffer base; /* where roots stand that nobody named: NUL-terminated, or empty */
    struct inventory *inventory;
    struct mapping_row *rows;
    size_t row_count, row_capacity;
    struct buffer text; /* of the rows */
    uint64_t counts[MAPPING_OUTCOMES];
    bool is_guess;               /* of the flavour of the link that comes next */
    struct remap_listener *next; /* told of each entry, too; borrowed; or NULL */
};

/* True if the command line has rules. */
bool mapping_is_asked(const struct map_settings *s);
/* Begins. The settings are changed: mapping_add_root adds the rules of --rebase. */
MUST_CHECK int mapping_begin(struct mapping *m, struct map_settings *settings,
                             struct report *report, enum mapping_use use, struct error *err);
void mapping_release(struct mapping *m);

/* A root that stood at `old` ("" if that is not known: ERROR_USAGE with --rebase) and stands, or
 * will stand, at `place`, both absolute. */
MUST_CHECK int mapping_add_root(struct mapping *m, const char *name, const char *old,
                                const char *place, struct error *err);
/* Wraps the source, whose links then have their new targets. */
MUST_CHECK int mapping_wrap(struct mapping *m, enum remap_across across, struct source **source,
                            struct error *err);
/* After a run with MAPPING_COUNTS: for each root that links still lead to by its old place, where
 * nothing is, a remark with the option that has them lead to the new one. */
void mapping_hint(const struct mapping *m);
/* After the last entry: finds out where the targets lead, by the tree's own entries and by the
 * disk, and prints the table, if the user is to see it (always as JSON). */
enum mapping_shown { MAPPING_HIDE, MAPPING_SHOW };
MUST_CHECK int mapping_tell(struct mapping *m, struct source *source, enum mapping_shown shown,
                            struct error *err);
/* One line on standard error: how many were mapped, and so on; nothing if there is none. */
void mapping_print_summary(const struct mapping *m);
/* The same as fields of the summary object. */
void mapping_json_summary(struct mapping *m);

/* Appends the absolute path of what the user named: the real one of as much of it as is there, and
 * the rest as typed. NUL-terminated. */
MUST_CHECK int mapping_real_path(const char *path, struct buffer *out, struct error *err);

#endif
