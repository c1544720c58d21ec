/*
 * target.h: the text of a link, without a disk: its form and its parts, and where it leads by its
 * words alone.
 */
#ifndef HOLDFAST_LINK_TARGET_H
#define HOLDFAST_LINK_TARGET_H

#include <stdbool.h>

#include "base/buffer.h"

/* DESIGN 2: how a target is written. What a prefix (below) changes is not part of the form:
 * C:\x, \\?\C:\x and \??\C:\x are one place and one form. */
enum target_form {
    TARGET_RELATIVE,       /* x\y, ..\x */
    TARGET_POSIX_ABSOLUTE, /* /x */
    TARGET_DRIVE_ABSOLUTE, /* C:\x */
    TARGET_DRIVE_RELATIVE, /* \x: from the root of the volume that the link is on. Neither relative
                              (its words do not begin at the link) nor absolute (no drive) */
    TARGET_DRIVE_CURRENT,  /* C:x: from a process's current folder on a drive. Windows never stores
                              it in a link */
    TARGET_UNC,            /* \\server\share */
    TARGET_VOLUME,         /* \\?\Volume{GUID}\ */
    TARGET_NT,             /* any other name of the object namespace: a device, a pipe, \??\C: */
};

/* How the namespace is named in front of a Windows target. */
enum target_prefix {
    TARGET_PLAIN,    /* nothing */
    TARGET_VERBATIM, /* \\?\ */
    TARGET_DEVICE,   /* \\.\, or one of these two written with slashes */
    TARGET_OBJECT,   /* \??\: the object manager's own, in substitute names */
};

/* DESIGN 2: where it leads. */
enum target_state {
    TARGET_INSIDE,
    TARGET_OUTSIDE,
    TARGET_DANGLING,
    TARGET_LOOPING,
    TARGET_UNKNOWN
};

/* Whose rules a text was written by. */
enum target_rules {
    /* A backslash is an ordinary byte; only RELATIVE and POSIX_ABSOLUTE occur. */
    TARGET_RULES_POSIX,
    /* What people and programs write, and what stands in print names: \ and / separate. */
    TARGET_RULES_WINDOWS,
    /* A substitute name ([MS-FSCC] 2.1.2.4, 2.1.2.5): the object manager reads it, for whom a slash
     * is an ordinary character. Absolute: \x is a name of the object namespace. */
    TARGET_RULES_NT,
    /* A substitute name that SYMLINK_FLAG_RELATIVE goes with: \x is DRIVE_RELATIVE. */
    TARGET_RULES_NT_RELATIVE,
};

/* A text taken apart. All bytes are borrowed from `text`. */
struct target {
    struct bytes text;
    enum target_form form;
    enum target_prefix prefix;
    bool by_slash, by_backslash; /* what separates components here */
    struct bytes root;           /* "C:" (DRIVE_*) or "Volume{GUID}" (VOLUME); else empty */
    /* What follows prefix and root: components, and the separators before, between and after them.
     * For UNC it begins with the server's name. */
    struct bytes rest;
};

/* Takes a text apart. Any bytes are some target. */
void target_parse(struct bytes text, enum target_rules rules, struct target *out);
/* Takes the next component off `rest` (first a copy of target->rest), separators skipped. False if
 * there is none left; `rest` then is empty. */
bool target_next(const struct target *t, struct bytes *rest, struct bytes *component);
/* True if the byte separates components here. */
bool target_is_separator(const struct target *t, uint8_t byte);
/* True if the target is a VOLUME without components: what makes a junction a mount point. */
bool target_is_volume_root(const struct target *t);

/* The form alone. */
enum target_form target_form(struct bytes target, enum target_rules rules);
/* "relative", "absolute", ... and "inside", "outside", "dangling", "looping", "unknown". */
const char *target_form_name(enum target_form form);
const char *target_state_name(enum target_state state);

/* Appends a substitute name as Win32 writes it, which people know and TARGET_RULES_WINDOWS read as
 * the same place: \??\C:\x as C:\x and \??\UNC\s\h as \\s\h, or with \\?\ in front if Win32 would
 * take a component for something else (a slash in it, .., a device, a dot at its end);
 * \??\Volume{..}\ and other names with \\?\; \Device\x as \\?\GLOBALROOT\Device\x. Every other
 * text stays as it is. */
MUST_CHECK int target_append_win32(struct buffer *out, const struct target *t, struct error *err);

/* Resolves a RELATIVE target by its words against the folder that holds the link (a path in the
 * tree with `/`, "" for the top): appends the path that it names to `out`. 1 inside the tree, 0 if
 * it climbs out of it, has another form, or names what no tree holds (a slash in a component), -1
 * on error. `.` and `..` are taken away by words; links on the way, and names that differ in case,
 * are the caller's matter. */
MUST_CHECK int target_resolve(struct bytes folder, const struct target *t, struct buffer *out,
                              struct error *err);

/* Appends t->rest (of a RELATIVE target that is all of it) as the other system writes it, with `/`
 * for TARGET_RULES_POSIX and `\` for the others as separators. 1 if done; 0 if it cannot be said
 * there, with `*why` a static text: a slash in a component of Windows, or a name that Windows
 * cannot hold (link/winname.h; `.` and `..` are fine); -1 on error. On 0 and -1 `out` is as before.
 */
MUST_CHECK int target_turn(struct buffer *out, const struct target *t, enum target_rules to,
                           const char **why, struct error *err);

#endif
