/*
 * remap.h: targets rewritten by rules, for a tree that lives elsewhere now (DESIGN 13).
 *
 * A rule says that what was OLD is now NEW, both absolute. A target that OLD leads to, or leads
 * above, gets NEW in the place of OLD; the rest of it stays as it was written. Whole components are
 * compared: C:\foo has nothing to do with C:\foobar. Windows' names are compared as NTFS does
 * (base/upcase.h), POSIX' byte for byte. How a place is spelt does not matter to a rule and is kept
 * in the target: a rule for C:\Users meets \??\C:\Users\x and \\?\C:\Users\x, too. The first rule
 * that meets a target is the only one that it gets; relative targets, and C:x, meet none.
 *
 * A target whose `..` climb out of what OLD matched by their words leads elsewhere: that rule does
 * not meet it. A rule between the systems turns separators: with C:\=/mnt/c, C:\a\b becomes
 * /mnt/c/a/b, and with /mnt/c=C:\ the other way round.
 *
 * Nothing changes but by a rule, and nothing here looks at a disk. What a mount is called in
 * Windows
 * (--drive C:=/mnt/win) is a rule, too: what remap_target makes of a target by it is where it is.
 */
#ifndef HOLDFAST_LINK_REMAP_H
#define HOLDFAST_LINK_REMAP_H

#include <stddef.h>

#include "base/buffer.h"
#include "link/reparse.h"
#include "link/target.h"

struct remap_rule;

/* The rules, in order. A zeroed struct has none. */
struct remap {
    struct remap_rule *rules;
    size_t count, capacity;
};

/* Frees the rules and zeroes the struct. A zeroed struct is accepted. */
void remap_release(struct remap *m);

/* Adds the rule OLD=NEW behind the others; copies both. Each is a POSIX path if it begins with a
 * slash, else one of Windows: C:\x, C: (for C:\), \x (met by \x alone, whose volume nobody knows),
 * \\server\share, \\?\Volume{GUID}\, or any of them with \\?\, \\.\ or \??\. ERROR_USAGE, with the
 * reason in words: empty, relative, C:x, `.` or `..` in it, a NUL, no WTF-8 in a path of Windows,
 * or a NEW that Windows cannot hold (link/winname.h). Also what --rebase OLDROOT NEWROOT does. */
MUST_CHECK int remap_add(struct remap *m, struct bytes old, struct bytes new, struct error *err);
/* Adds a rule from the text OLD=NEW. ERROR_USAGE if it has no `=` or more than one: a path with `=`
 * goes into a file. */
MUST_CHECK int remap_add_text(struct remap *m, struct bytes text, struct error *err);
/* Adds the rules of a --map-file, in order: each line that is not blank is a JSON object with the
 * strings "from" and "to" and nothing else. \uD800 to \uDFFF without a partner is an unpaired
 * surrogate. ERROR_USAGE with the line's number for everything else. */
MUST_CHECK int remap_add_file(struct remap *m, struct bytes content, struct error *err);

/* What rules did to a target. */
enum remap_outcome {
    REMAP_UNCHANGED,  /* no rule met it, or it leads there already */
    REMAP_MAPPED,     /* it has a new text */
    REMAP_IMPOSSIBLE, /* a rule met it, but the link cannot hold the new text: it stays as it was */
};

/* The result for one link. `target` and `raw` are owned: remap_result_release. */
struct remap_result {
    enum remap_outcome outcome;
    size_t rule;             /* not UNCHANGED: which rule met it, counted from 0 */
    const char *reason;      /* IMPOSSIBLE: why, static text */
    struct buffer target;    /* MAPPED: the new text, as a person writes it */
    enum target_rules rules; /* MAPPED: how to read it, TARGET_RULES_POSIX or _WINDOWS */
    struct buffer raw;       /* MAPPED by remap_reparse: the new reparse buffer */
};

/* Frees what the result owns and zeroes it. */
void remap_result_release(struct remap_result *result);

/* Maps the text of a target, to any system. `rules` says how it is to be read; `result` is zeroed
 * or released. -1 is lack of memory. For a junction that becomes a POSIX symlink `target` is what
 * reparse_append_target said. */
MUST_CHECK int remap_target(const struct remap *m, struct bytes target, enum target_rules rules,
                            struct remap_result *result, struct error *err);

/* Maps a link into a new reparse buffer. The substitute name decides. The print name is rewritten
 * by the same rule; if that does not meet it, it becomes the new substitute name in Win32's
 * spelling; an empty one stays empty. Order, NULs, gaps and flags stay, but for
 * REPARSE_SYMLINK_RELATIVE, which goes with the new form. What is no link is UNCHANGED. IMPOSSIBLE:
 * a POSIX path, a buffer over REPARSE_MAX_BYTES, a junction that would lead to anything but a drive
 * or a volume, a path of Windows for an LX symlink, `.` or `..` in what would be a name of the
 * object namespace. -1 is lack of memory. */
MUST_CHECK int remap_reparse(const struct remap *m, const struct reparse *r,
                             struct remap_result *result, struct error *err);

#endif
