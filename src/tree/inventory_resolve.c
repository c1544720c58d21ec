#include "tree/inventory_resolve.h"

#include <string.h>

#include "base/hash.h"

enum { HOPS = 40 }; /* as many as Linux follows: path_resolution(7) */

struct known_path {
    struct hash128 key;
    size_t link;
    enum entry_kind kind;
};

void inventory_paths_init(struct inventory_paths *p)
{
    table_init(&p->table, sizeof(struct known_path), sizeof(struct hash128));
}

void inventory_paths_release(struct inventory_paths *p)
{
    table_release(&p->table);
}

int inventory_paths_add(struct inventory_paths *p, const struct entry *e, size_t link,
                        struct error *err)
{
    struct hash128 key = hash_bytes(e->path);
    struct known_path *known = table_add(&p->table, &key, err);
    if (known == NULL)
        return -1;
    known->kind = e->kind;
    known->link = link;
    return 0;
}

/* A link on its way. `at` holds no links and no dots; `rest` is what is still to be gone. */
struct journey {
    const struct inventory_maze *maze;
    bool windows;       /* it passed a target of Windows, to whom case is no difference */
    struct buffer at;   /* a path in the tree; empty is the top */
    struct buffer rest; /* words, separated by slashes */
    struct buffer spare;
    struct buffer text; /* a target of Windows as a path of POSIX */
    unsigned hops;
    bool arrived; /* `state` is the answer */
    enum target_state state;
};

static int arrive(struct journey *j, enum target_state state)
{
    j->arrived = true;
    j->state = state;
    return 0;
}

/* Puts words before the rest of the way. A slash at its end is kept, since it asks for a folder;
 * none is added. */
static int prepend(struct journey *j, struct bytes words, struct error *err)
{
    buffer_clear(&j->spare);
    if (buffer_append(&j->spare, words.data, words.size, err) != 0 ||
        (j->rest.size > 0 && buffer_append_byte(&j->spare, '/', err) != 0) ||
        buffer_append(&j->spare, j->rest.data, j->rest.size, err) != 0)
        return -1;
    struct buffer old = j->rest;
    j->rest = j->spare;
    j->spare = old;
    return 0;
}

/* Takes the first word off the rest of the way, into j->spare: 1, 0 if there is none left, -1. */
static int next_word(struct journey *j, struct error *err)
{
    size_t start = 0, end;
    while (start < j->rest.size && j->rest.data[start] == '/')
        start++;
    for (end = start; end < j->rest.size && j->rest.data[end] != '/';)
        end++;
    if (start == end)
        return 0;
    buffer_clear(&j->spare);
    if (buffer_append(&j->spare, j->rest.data + start, end - start, err) != 0)
        return -1;
    memmove(j->rest.data, j->rest.data + end, j->rest.size - end);
    j->rest.size -= end;
    return 1;
}

/* Takes dots out of an absolute path by its words; `out` ends without a slash. */
static int tidy_absolute(struct bytes path, struct buffer *out, struct error *err)
{
    buffer_clear(out);
    for (size_t at = 0; at < path.size;) {
        size_t end = at;
        while (end < path.size && path.data[end] != '/')
            end++;
        struct bytes word = bytes_make(path.data + at, end - at);
        at = end + 1;
        if (word.size == 0 || bytes_equal(word, bytes_of(".")))
            continue;
        if (bytes_equal(word, bytes_of(".."))) {
            out->size = path_parent(buffer_bytes(out)).size;
            continue;
        }
        if (buffer_append_byte(out, '/', err) != 0 ||
            buffer_append(out, word.data, word.size, err) != 0)
            return -1;
    }
    return 0;
}

/* The root whose absolute path holds that path, or NULL. */
static const struct root_fact *root_of(const struct source_facts *facts, struct bytes path)
{
    for (size_t i = 0; i < facts->root_count; i++) {
        const char *absolute = facts->roots[i].absolute_path;
        if (absolute == NULL || absolute[0] == '\0')
            continue;
        struct bytes folder = bytes_of(absolute);
        /* The root of all is "/", and all paths below it begin so. */
        if (folder.size == 1)
            folder.size = 0;
        if (path_is_within(path, folder))
            return &facts->roots[i];
    }
    return NULL;
}

/* Goes on from an absolute path, which stands in front of the rest of the way. */
static int go_absolute(struct journey *j, struct error *err)
{
    if (tidy_absolute(buffer_bytes(&j->rest), &j->spare, err) != 0)
        return -1;
    struct bytes path = buffer_bytes(&j->spare);
    const struct root_fact *root = root_of(j->maze->facts, path);
    if (root == NULL)
        return arrive(j, TARGET_OUTSIDE);
    size_t taken = strlen(root->absolute_path);
    taken = taken == 1 ? 0 : taken;
    buffer_clear(&j->rest);
    if (buffer_append(&j->rest, path.data + taken, path.size - taken, err) != 0)
        return -1;
    buffer_clear(&j->at);
    struct bytes name = bytes_of(root->name);
    return buffer_append(&j->at, name.data, name.size, err);
}

static const struct root_fact *root_named(const struct source_facts *facts, struct bytes name)
{
    for (size_t i = 0; i < facts->root_count; i++) {
        if (bytes_equal(bytes_of(facts->roots[i].name), name))
            return &facts->roots[i];
    }
    return NULL;
}

/* Goes to the folder above. Roots stand next to each other in the tree, but not where they came
 * from: if it is known where that was, the way leads over there. */
static int go_up(struct journey *j, struct error *err)
{
    struct bytes at = buffer_bytes(&j->at);
    if (at.size == 0)
        return arrive(j, TARGET_OUTSIDE);
    struct bytes parent = path_parent(at);
    const struct root_fact *root = parent.size == 0 ? root_named(j->maze->facts, at) : NULL;
    if (root == NULL || root->absolute_path == NULL || root->absolute_path[0] == '\0') {
        j->at.size = parent.size;
        return 0;
    }
    if (prepend(j, bytes_of(".."), err) != 0 || prepend(j, bytes_of(root->absolute_path), err) != 0)
        return -1;
    return go_absolute(j, err);
}

/* The target of a link as a path of POSIX: 1 and *out (borrowed from the link or the journey), 0 if
 * that is not known, -1. */
static int words_of(struct journey *j, const struct inventory_link *link, struct bytes *out,
                    struct error *err)
{
    struct target t;
    const char *why;
    int known;
    *out = link->target;
    if (!link->windows)
        return 1;
    if (j->maze->drives == NULL)
        return 0;
    j->windows = true;
    buffer_clear(&j->text);
    target_parse(link->target, TARGET_RULES_WINDOWS, &t);
    known = t.form == TARGET_RELATIVE
                ? target_turn(&j->text, &t, TARGET_RULES_POSIX, &why, err)
                : drives_append_here(j->maze->drives, link->target, &j->text, err);
    *out = buffer_bytes(&j->text);
    return known;
}

static int follow(struct journey *j, const struct known_path *known, struct error *err)
{
    struct bytes target;
    int words = words_of(j, &j->maze->links[known->link], &target, err);
    if (words != 1)
        return words < 0 ? -1 : arrive(j, TARGET_UNKNOWN);
    if (++j->hops > HOPS)
        return arrive(j, TARGET_LOOPING);
    if (prepend(j, target, err) != 0)
        return -1;
    if (target.size > 0 && target.data[0] == '/')
        return go_absolute(j, err);
    j->at.size = path_parent(buffer_bytes(&j->at)).size;
    return 0;
}

/* Looks at what stands at j->at, to which a word was just added. */
static int look(struct journey *j, struct error *err)
{
    struct hash128 key = hash_bytes(buffer_bytes(&j->at));
    const struct known_path *known = table_find(&j->maze->paths->table, &key);
    if (known == NULL)
        return arrive(j, TARGET_DANGLING);
    if (known->kind == ENTRY_SYMLINK || known->kind == ENTRY_JUNCTION ||
        known->kind == ENTRY_MOUNT_POINT)
        return follow(j, known, err);
    /* More words, or a slash at the end, ask for a folder. */
    if (known->kind != ENTRY_DIRECTORY && j->rest.size > 0)
        return arrive(j, TARGET_DANGLING);
    return 0;
}

static int step(struct journey *j, struct error *err)
{
    int got = next_word(j, err);
    if (got < 0)
        return -1;
    if (got == 0)
        return arrive(j, TARGET_INSIDE);
    struct bytes word = buffer_bytes(&j->spare);
    if (bytes_equal(word, bytes_of(".")))
        return 0;
    if (bytes_equal(word, bytes_of("..")))
        return go_up(j, err);
    if (j->at.size > 0 && buffer_append_byte(&j->at, '/', err) != 0)
        return -1;
    if (buffer_append(&j->at, word.data, word.size, err) != 0)
        return -1;
    return look(j, err);
}

int inventory_resolve(const struct inventory_maze *maze, const struct inventory_link *link,
                      enum target_state *state, struct error *err)
{
    struct journey j = {.maze = maze, .hops = 1};
    struct bytes folder = path_parent(link->path), words;
    int known = words_of(&j, link, &words, err), result = -1;
    if (known == 0)
        arrive(&j, TARGET_UNKNOWN);
    else if (words.size == 0)
        arrive(&j, TARGET_DANGLING);
    if (known < 0 || buffer_append(&j.at, folder.data, folder.size, err) != 0 ||
        buffer_append(&j.rest, words.data, words.size, err) != 0)
        goto out;
    if (!j.arrived && words.data[0] == '/' && go_absolute(&j, err) != 0)
        goto out;
    while (!j.arrived) {
        if (step(&j, err) != 0)
            goto out;
    }
    *state = j.state == TARGET_DANGLING && j.windows ? TARGET_UNKNOWN : j.state;
    result = 0;
out:
    buffer_release(&j.at);
    buffer_release(&j.rest);
    buffer_release(&j.spare);
    buffer_release(&j.text);
    return result;
}
