/*
 * tree.h: what the user names, a folder or an archive, opened as a source with its filters and name
 * groups on top. Shared by the commands that read.
 */
#ifndef HOLDFAST_CLI_TREE_H
#define HOLDFAST_CLI_TREE_H

#include "archive/catalogue.h"
#include "archive/open.h"
#include "cli/options.h"
#include "cli/report.h"
#include "disk/walk.h"

/* What is left out of a tree; options of several commands, in the group FILTER_OPTIONS. */
struct filter_settings {
    struct rule_list rules;
    struct text_list if_present; /* --exclude-if-present */
    struct text_list reparse;    /* --reparse, as reparse_policies_add reads it */
    bool caches, nodump, one_file_system;
};
enum {
    FILTER_SPEC_COUNT = 8,
    FILTER_SPARING_COUNT = 7, /* of them, those that can tell what lies at a destination, too */
};
extern const struct option_spec filter_specs[FILTER_SPEC_COUNT];
void filter_settings_release(struct filter_settings *f);

/* The option --base of the commands that read contents of archives. */
#define BASE_OPTION(type, member)                                                                  \
    {                                                                                              \
        "base", 0, OPTION_LIST, offsetof(type, member), "FILE",                                    \
            "an archive that contents of an incremental one may stand in, where it is not beside " \
            "it; may be given again"                                                               \
    }

/* The option --windows-names of the commands that read folders. */
#define WINDOWS_NAMES_OPTION(type, member)                                                         \
    {                                                                                              \
        "windows-names", 0, OPTION_TEXT, offsetof(type, member), "WAY",                            \
            "names on a disk that restore --windows-names=escape made: any (default: as they "     \
            "are) or escape (what they stand for)"                                                 \
    }
/* True if its setting (or NULL) asks for what names stand for; -1 and ERROR_USAGE if it is neither
 * word. */
MUST_CHECK int tree_unescapes(const char *windows_names, struct error *err);

/* Opens an archive of ours by its index, whatever the index's state: for incremental ones, of which
 * the stream alone is not all. ERROR_FORMAT if it has no sound index or is a pipe ("-"). */
MUST_CHECK int tree_open_incremental(const char *path, const struct reader_options *options,
                                     struct opened_archive *out, struct error *err);

struct tree_options {
    const struct filter_settings *filter; /* or NULL */
    const struct bytes *paths;            /* chosen paths, or none */
    size_t path_count;
    bool owner_names;
    bool unescape_names;         /* of a folder: see walk_options */
    const struct relink *relink; /* the same */
    bool strip_absolute;
    bool contents;    /* contents will be asked for: of other tools' archives they are hashed, of
                         chosen paths kept aside */
    bool plain_files; /* a file that is no archive is a tree of one file; else it is an error */
    const struct identity *leave_out; /* files that are no part of a folder, or NULL */
    size_t leave_out_count;
    const char
        *root_name; /* name for a folder's root in entry paths; NULL: its own last component */
    struct watcher *watcher;
};

/* An open tree. */
struct tree {
    struct source *source; /* the outermost: what to read */
    struct source *walk;   /* the walk below, or NULL for archives */
    struct source *groups; /* the name groups (namegroup.h) of a walk or an index, or NULL */
    struct source *chosen; /* the filter or select that knows which paths matched, or NULL */
    bool is_archive, is_ours;
    bool is_indexed; /* an archive that is read by its index, with wrappers as a walk has them */
    struct input *input;           /* of an archive */
    struct source *reader;         /* of a tar archive: for reader_tail; or NULL */
    const char *reopen;            /* the name of an archive that can be read once more, or NULL */
    struct source *reparse_choice; /* reparse_choice.h, or NULL */
    /* What the sources borrow. */
    struct reparse_policies reparse;
    struct folder_marks marks;
    struct buffer root_name;
    os_handle spool;
};

/* True if `what` is opened as an archive, false if as it stands on the disk; -1 with an error if it
 * is not there. */
MUST_CHECK int tree_reads_archive(const char *what, const struct tree_options *options,
                                  struct error *err);

/* Opens `what`: "-" is an archive on standard input. Errors name it. */
MUST_CHECK int tree_open(struct tree *t, const char *what, const struct tree_options *options,
                         struct error *err);
/* Opens folders by a layout, with the same wrappers. */
MUST_CHECK int tree_open_layout(struct tree *t, const struct disk_layout *layout,
                                const struct tree_options *options, struct error *err);
/* Has a thread read the folders of that layout ahead (disk/ahead.h); the options are those that
 * they were opened with. */
MUST_CHECK int tree_read_ahead(struct tree *t, const struct disk_layout *layout,
                               const struct tree_options *options, struct error *err);
/* As tree_open, for a command that reads this tree alone: a name that is not there is ERROR_USAGE;
 * the further names of an archive are completed (samefile.h). */
MUST_CHECK int tree_open_first(struct tree *t, const char *what, const struct tree_options *options,
                               struct error *err);
void tree_close(struct tree *t);

/* The error of a chosen path that nothing matched in an archive or a folder (`where`); where the
 * path lacks its root's name it says so. Returns -1. */
int tree_no_such_entry(const struct source_facts *facts, const char *where, struct bytes path,
                       struct error *err);
/* Tells options->watcher of the chosen paths that nothing matched; after the last entry. */
void tree_tell_unmatched(const struct tree *t, const struct tree_options *options);

/* Which tags of reparse points are told. */
enum tree_tags { TREE_TAGS_SKIPPED, TREE_TAGS_NO_LINKS };
/* Tells the watcher, in a line for each tag, how many reparse points were left out by --reparse,
 * or that and how many there are that are no links; after the last entry. */
void tree_tell_reparse(const struct tree *t, enum tree_tags which, struct watcher *watcher);

/* The folder that nameless temporary files are made in: $TMPDIR, or /tmp. Borrowed. */
const char *tree_spool_folder(void);

/* True if the name is a folder (following links), false if a file, -1 with an error if it is
 * neither or not there. */
MUST_CHECK int tree_is_folder(const char *what, struct error *err);

/* The last component of a path as typed, with `.` and `..` resolved; "root" for "/". Appended and
 * NUL-terminated. */
MUST_CHECK int tree_root_name(const char *path, struct buffer *out, struct error *err);

/* ERROR_USAGE if the path is a link that leads nowhere: nothing can be made there. */
MUST_CHECK int tree_check_dangling(const char *path, struct error *err);
/* ERROR_USAGE if the path is no folder to restore to, and none can be made there. */
MUST_CHECK int tree_check_destination(const char *path, struct error *err);

/* A text list as chosen paths: trailing slashes and leading "./" taken away. The bytes point into
 * the texts; *out is the caller's. */
MUST_CHECK int tree_paths(const struct text_list *texts, size_t from, size_t count,
                          struct bytes **out, struct error *err);

#endif
