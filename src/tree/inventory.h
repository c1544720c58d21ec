/*
 * inventory.h: what links a tree holds: counts of each kind, name groups and what they save,
 * targets and their state. Fed with a stream of entries, asked at its end.
 */
#ifndef HOLDFAST_TREE_INVENTORY_H
#define HOLDFAST_TREE_INVENTORY_H

#include "link/drives.h"
#include "link/target.h"
#include "tree/source.h"

/* Finds out where a link leads, with help of the disk. NULL where there is none (archives): then
 * the inventory resolves within its own entries after the last one. */
struct inventory_resolver {
    int (*resolve)(struct inventory_resolver *r, const struct entry *e, enum target_state *state,
                   struct error *err);
};

struct inventory_link {
    struct bytes path, target;
    enum entry_kind kind;
    enum target_form form;
    enum target_state state;
    bool windows; /* the target is one of Windows: of a reparse point */
};
struct inventory_group {
    const struct bytes *names; /* paths, in canonical order */
    size_t name_count;
    uint64_t link_count; /* names in all, as the system says; 0 = not known */
    uint64_t size;       /* bytes of the file */
    enum entry_kind kind;
};
struct inventory_counts {
    uint64_t entries, directories, files, symlinks, fifos, sockets, devices, problems;
    uint64_t junctions, mount_points, reparse_points; /* the last: all others */
    uint64_t groups, group_names, saved_bytes, outside_names, partial_groups;
    uint64_t inside, outside, dangling, looping, unknown, absolute, relative;
    uint64_t file_bytes; /* each file once */
};

struct inventory;
MUST_CHECK int inventory_new(struct inventory_resolver *resolver, struct inventory **out,
                             struct error *err);
void inventory_free(struct inventory *v);
/* Says which folders are drives of Windows (borrowed until the finish), for an inventory without a
 * resolver. A target of Windows that leads to nothing of that spelling stays UNKNOWN: names that
 * differ in case alone are not looked for. */
void inventory_set_drives(struct inventory *v, const struct drives *drives);
/* Takes one entry (with first_name set by name groups). */
MUST_CHECK int inventory_add(struct inventory *v, const struct entry *e, struct error *err);
/* Resolves and sorts; then the getters below hold. `facts` are the source's. */
MUST_CHECK int inventory_finish(struct inventory *v, const struct source_facts *facts,
                                struct error *err);
const struct inventory_counts *inventory_counts(const struct inventory *v);
size_t inventory_link_count(const struct inventory *v);
const struct inventory_link *inventory_link_at(const struct inventory *v, size_t index);
size_t inventory_group_count(const struct inventory *v);
const struct inventory_group *inventory_group_at(const struct inventory *v, size_t index);

#endif
