/*
 * winname.c: see winname.h. "Naming Files, Paths, and Namespaces" lists what Windows reserves.
 */
#include "link/winname.h"

#include <string.h>

#include "base/wtf8.h"
#include "link/winname_parts.h"

bool winname_is_refused(uint8_t byte)
{
    return byte && strchr("\\:<>\"|?*", byte);
}

static bool is_capital_of(uint8_t byte, char capital)
{
    return byte == (uint8_t)capital ||
           (capital >= 'A' && capital <= 'Z' && byte == (uint8_t)(capital - 'A' + 'a'));
}

/* `word` is in capitals. */
static bool begins_with(struct bytes name, const char *word)
{
    size_t count = strlen(word);

    if (name.size < count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!is_capital_of(name.data[i], word[i]))
            return false;
    }
    return true;
}

/* A digit that numbers a port: 1 to 9, or a superscript one, two or three. */
static bool is_port(struct bytes digits)
{
    if (digits.size == 1)
        return digits.data[0] >= '1' && digits.data[0] <= '9';
    return digits.size == 2 && digits.data[0] == 0xc2 &&
           (digits.data[1] == 0xb9 || digits.data[1] == 0xb2 || digits.data[1] == 0xb3);
}

/* Windows cuts a name at its first dot or colon, and spaces before that, and compares the rest. */
static struct bytes stem_of(struct bytes name)
{
    size_t count = 0;

    while (count < name.size && name.data[count] != '.' && name.data[count] != ':')
        count++;
    while (count && name.data[count - 1] == ' ')
        count--;
    return bytes_make(name.data, count);
}

bool winname_is_device(struct bytes name)
{
    static const char *const devices[] = {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"};
    struct bytes stem = stem_of(name);

    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
        if (stem.size == strlen(devices[i]) && begins_with(stem, devices[i]))
            return true;
    }
    return (begins_with(stem, "COM") || begins_with(stem, "LPT")) &&
           is_port(bytes_make(stem.data + 3, stem.size - 3));
}

bool winname_is_name(struct bytes name)
{
    if (!name.size || memchr(name.data, '/', name.size) || memchr(name.data, 0, name.size))
        return false;
    return !bytes_equal(name, bytes_of(".")) && !bytes_equal(name, bytes_of(".."));
}

enum winname_fault winname_check(struct bytes name)
{
    enum winname_fault fault = WINNAME_FINE;
    size_t units;
    uint8_t last;

    if (!winname_is_name(name))
        return WINNAME_NO_NAME;
    if (!wtf8_is_valid(name, &units))
        return WINNAME_NOT_TEXT;
    for (size_t i = 0; i < name.size; i++) {
        if (winname_is_refused(name.data[i]))
            return WINNAME_CHARACTER;
        if (name.data[i] < 0x20)
            fault = WINNAME_CONTROL;
    }
    if (fault)
        return fault;
    if (winname_is_device(name))
        return WINNAME_DEVICE;
    last = name.data[name.size - 1];
    if (last == '.' || last == ' ')
        return WINNAME_TRAILING;
    return units > WINNAME_UNITS ? WINNAME_LONG : WINNAME_FINE;
}

const char *winname_fault_text(enum winname_fault fault)
{
    switch (fault) {
    case WINNAME_FINE:
        return "";
    case WINNAME_NO_NAME:
        return "no name";
    case WINNAME_NOT_TEXT:
        return "not valid WTF-8";
    case WINNAME_CHARACTER:
        return "a character that Windows does not take";
    case WINNAME_CONTROL:
        return "a control character";
    case WINNAME_DEVICE:
        return "a device of Windows";
    case WINNAME_TRAILING:
        return "a dot or space at the end";
    case WINNAME_LONG:
        return "more than 255 UTF-16 units";
    }
    return "";
}
