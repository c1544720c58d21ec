#include "tree/pattern.h"

#include <string.h>

/* Where to try again: the pattern behind the star, and the text that the star has swallowed up to.
 */
struct retry {
    size_t pattern;
    size_t text;
    bool set;
};

struct matcher {
    struct bytes pattern, text;
    size_t p, t;
    struct retry star; /* the last *, since the last ** */
    struct retry deep; /* the last ** */
    bool by_folder;    /* the last ** swallows whole folders */
};

static bool in_range(uint8_t byte, char low, char high)
{
    return byte >= (uint8_t)low && byte <= (uint8_t)high;
}

/* The C locale's classes: names are bytes here, whatever the user's locale says. */
static bool in_class(struct bytes name, uint8_t c)
{
    bool lower = in_range(c, 'a', 'z'), upper = in_range(c, 'A', 'Z'),
         digit = in_range(c, '0', '9');
    bool graph = in_range(c, '!', '~');
    const struct {
        const char *name;
        bool member;
    } classes[] = {
        {"alpha", lower || upper},
        {"digit", digit},
        {"alnum", lower || upper || digit},
        {"lower", lower},
        {"upper", upper},
        {"space", c == ' ' || in_range(c, '\t', '\r')},
        {"blank", c == ' ' || c == '\t'},
        {"punct", graph && !lower && !upper && !digit},
        {"graph", graph},
        {"print", graph || c == ' '},
        {"cntrl", c < ' ' || c == 0x7f},
        {"xdigit", digit || in_range(c, 'a', 'f') || in_range(c, 'A', 'F')},
    };
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        if (bytes_equal(name, bytes_of(classes[i].name)))
            return classes[i].member;
    }
    return false;
}

/* The bytes between "[:" at `at` and its ":]", or size 0 if there is no class. */
static struct bytes class_name(struct bytes pattern, size_t at)
{
    if (pattern.size - at < 4 || memcmp(pattern.data + at, "[:", 2) != 0)
        return (struct bytes){0};
    for (size_t end = at + 2; end + 1 < pattern.size; end++) {
        if (pattern.data[end] == ':' && pattern.data[end + 1] == ']')
            return bytes_make(pattern.data + at + 2, end - at - 2);
        if (!in_range(pattern.data[end], 'a', 'z'))
            break;
    }
    return (struct bytes){0};
}

/* One byte of a set, escaped or not; moves `at` behind it. False at the end of the pattern. */
static bool set_byte(struct bytes pattern, size_t *at, uint8_t *byte)
{
    if (*at < pattern.size && pattern.data[*at] == '\\')
        ++*at;
    if (*at >= pattern.size)
        return false;
    *byte = pattern.data[(*at)++];
    return true;
}

/* One item of a set at `at`: a class, a range or a byte. False at the end of the pattern. */
static bool set_item(struct bytes pattern, size_t *at, uint8_t byte, bool *member)
{
    struct bytes name = class_name(pattern, *at);
    if (name.size > 0) {
        *at += name.size + 4;
        *member = *member || in_class(name, byte);
        return true;
    }
    uint8_t low, high;
    if (!set_byte(pattern, at, &low))
        return false;
    high = low;
    if (*at + 1 < pattern.size && pattern.data[*at] == '-' && pattern.data[*at + 1] != ']') {
        ++*at;
        if (!set_byte(pattern, at, &high))
            return false;
    }
    *member = *member || (low <= byte && byte <= high);
    return true;
}

/* Matches the set that begins at *at: 1, 0, or -1 if no ']' ends it, so that the '[' stands for
 * itself. */
static int set_match(struct bytes pattern, size_t *at, uint8_t byte)
{
    size_t here = *at + 1;
    bool negated = here < pattern.size && (pattern.data[here] == '!' || pattern.data[here] == '^');
    bool member = false;
    here += negated;
    for (size_t first = here;;) {
        if (here >= pattern.size)
            return -1;
        if (pattern.data[here] == ']' && here > first)
            break;
        if (!set_item(pattern, &here, byte, &member))
            return -1;
    }
    *at = here + 1;
    return byte != '/' && member != negated;
}

/* Matches one byte of the text against what stands at m->p, and steps over both. */
static bool match_one(struct matcher *m)
{
    if (m->p >= m->pattern.size)
        return false;
    uint8_t want = m->pattern.data[m->p], byte = m->text.data[m->t];
    size_t next = m->p + 1;
    if (want == '[') {
        size_t end = m->p;
        int matched = set_match(m->pattern, &end, byte);
        if (matched == 0)
            return false;
        if (matched > 0)
            next = end;
        else if (byte != '[')
            return false;
    } else if (want == '?') {
        if (byte == '/')
            return false;
    } else {
        if (want == '\\' && next < m->pattern.size)
            want = m->pattern.data[next++];
        if (byte != want)
            return false;
    }
    m->p = next;
    m->t++;
    return true;
}

/* Steps over the star or stars at m->p and remembers them. */
static void begin_star(struct matcher *m)
{
    size_t end = m->p;
    while (end < m->pattern.size && m->pattern.data[end] == '*')
        end++;
    if (end - m->p == 1) {
        m->p = end;
        m->star = (struct retry){.pattern = m->p, .text = m->t, .set = true};
        return;
    }
    m->by_folder = (m->p == 0 || m->pattern.data[m->p - 1] == '/') && end < m->pattern.size &&
                   m->pattern.data[end] == '/';
    m->p = end + m->by_folder;
    m->deep = (struct retry){.pattern = m->p, .text = m->t, .set = true};
    m->star.set = false;
}

/* Lets the last star swallow more. Earlier ones need no second try: what they swallowed is the
 * shortest, which leaves the most to the later. */
static bool try_again(struct matcher *m)
{
    struct bytes text = m->text;
    if (m->star.set && m->star.text < text.size && text.data[m->star.text] != '/') {
        m->star.text++;
        m->p = m->star.pattern;
        m->t = m->star.text;
        return true;
    }
    if (!m->deep.set || m->deep.text >= text.size)
        return false;
    if (m->by_folder) {
        const uint8_t *slash = memchr(text.data + m->deep.text, '/', text.size - m->deep.text);
        if (slash == NULL)
            return false;
        m->deep.text = (size_t)(slash - text.data);
    }
    m->deep.text++;
    m->star.set = false;
    m->p = m->deep.pattern;
    m->t = m->deep.text;
    return true;
}

bool pattern_match(struct bytes pattern, struct bytes text)
{
    struct matcher m = {.pattern = pattern, .text = text};
    for (;;) {
        if (m.p < pattern.size && pattern.data[m.p] == '*') {
            begin_star(&m);
        } else if (m.t == text.size) {
            /* A star that swallows more only leaves less. */
            return m.p == pattern.size;
        } else if (!match_one(&m) && !try_again(&m)) {
            return false;
        }
    }
}
