/*
 * changing.c: see changing.h.
 */
#include "cli/changing.h"

#include "cli/jobs.h"
#include "os/os.h"

#define SETTING(member) offsetof(struct changing_settings, member)
const struct option_spec changing_specs[CHANGING_SPEC_COUNT] = {
    {"checksum", 'c', OPTION_FLAG, SETTING(checksum), NULL,
     "compare contents even where size and times agree"},
    {"clear-flags", 0, OPTION_FLAG, SETTING(clear_flags), NULL,
     "take immutable and append-only flags off what stands in the way"},
    {"owner", 0, OPTION_FLAG, SETTING(owner), NULL, "try to set owners as an ordinary user, too"},
    {"foreign-links", 0, OPTION_TEXT, SETTING(foreign_links), "WAY",
     "Windows' links where there is no NTFS volume: symlink (default; told as not exact), skip or "
     "refuse"},
    {"windows-names", 0, OPTION_TEXT, SETTING(windows_names), "WAY",
     "names that Windows cannot hold, on an NTFS volume: refuse (default), escape (map them, "
     "whatever the file system) or any (make them)"},
    {"jobs", 'j', OPTION_NUMBER, SETTING(jobs), "N",
     "threads that write files, default one for each core"},
    {"dry-run", 'n', OPTION_FLAG, SETTING(dry_run), NULL,
     "print what would be done, change nothing"},
    {"no-sync", 0, OPTION_FLAG, SETTING(no_sync), NULL,
     "do not wait until everything is on the disk"},
    {"keep-redirects", 0, OPTION_FLAG, SETTING(keep_redirects), NULL,
     "use links that stand where a folder belongs as the folders that they lead to, for all that "
     "is "
     "done there, --delete, too"},
};

static const char *const foreign_words[] = {
    [FOREIGN_SYMLINK] = "symlink", [FOREIGN_SKIP] = "skip", [FOREIGN_REFUSE] = "refuse"};

static const char *const names_words[] = {
    [NAMES_REFUSE] = "refuse", [NAMES_ESCAPE] = "escape", [NAMES_ANY] = "any"};

int changing_choose(const struct changing_settings *s, const struct transfer_redirects *redirects,
                    struct transfer_options *out, struct error *err)
{
    if (option_word_check("foreign-links", s->foreign_links, foreign_words, 3, err) != 0 ||
        option_word_check("windows-names", s->windows_names, names_words, 3, err) != 0 ||
        jobs_choose(&s->jobs, &out->jobs, err) != 0)
        return -1;
    out->mode = s->dry_run ? TRANSFER_DRY_RUN : TRANSFER_APPLY;
    out->foreign_links = (enum transfer_foreign)option_word(s->foreign_links, foreign_words, 3);
    out->windows_names = (enum transfer_names)option_word(s->windows_names, names_words, 3);
    out->redirects = s->keep_redirects ? redirects : NULL;
    out->checksum = s->checksum;
    out->clear_flags = s->clear_flags;
    out->no_sync = s->no_sync;
    return 0;
}

void changing_leave_owners(const struct changing_settings *s, struct transfer *t)
{
    if (os_is_privileged() || s->owner)
        return;
    t->options.owners = OWNERS_LEAVE;
    watcher_remark(t->watcher, (struct bytes){NULL, 0},
                   "owners are not kept for an ordinary user; --owner tries");
}
