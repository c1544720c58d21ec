/*
 * os.h: the whole contract with the system. Folders are held handles; every call takes one and a
 * single name component, and never follows a link, but for those that say so (os_open_root opens
 * what the user named, os_follow_dir what a link that the user chose leads to). Errors carry
 * operation and system code; the caller, who knows it, adds the path.
 *
 * POSIX: <https://pubs.opengroup.org/onlinepubs/9699919799/>, Linux man-pages for openat2(2),
 * statx(2), ioctl_iflags(2).
 */
#ifndef HOLDFAST_OS_OS_H
#define HOLDFAST_OS_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/pairs.h"
#include "base/text.h"

/* An open file or folder: a descriptor or a HANDLE. OS_NO_HANDLE is none. Wherever a call takes
 * folder and name, a name that is not one plain component (empty, `.`, `..`, with a slash) is
 * ERROR_REFUSED, as the last guard of SAFETY R2. */
typedef intptr_t os_handle;
#define OS_NO_HANDLE ((os_handle)-1)

/* ---- Status ---- */

enum os_kind {
    OS_DIRECTORY,
    OS_FILE,
    OS_SYMLINK,
    OS_FIFO,
    OS_SOCKET,
    OS_CHAR_DEVICE,
    OS_BLOCK_DEVICE,
    OS_KIND_UNKNOWN
};

/* File flags as bits of our own; see FILE_FLAG_* of tree/entry.h, whose values are the same (a test
 * compares them). */
enum os_flag {
    OS_FLAG_IMMUTABLE = 1 << 0,
    OS_FLAG_APPEND = 1 << 1,
    OS_FLAG_NODUMP = 1 << 2,
    OS_FLAG_NOATIME = 1 << 3,
    OS_FLAG_SYNC = 1 << 4,
    OS_FLAG_DIRSYNC = 1 << 5,
    OS_FLAG_NOCOW = 1 << 6,
    OS_FLAG_TOPDIR = 1 << 7,
};

struct os_stat {
    enum os_kind kind;
    uint32_t mode; /* the twelve permission bits */
    uint64_t owner, group;
    uint64_t size, allocated; /* bytes */
    uint64_t device;          /* st_dev: which mounted file system */
    uint64_t file[2];         /* st_ino, 0 */
    uint64_t link_count;
    uint32_t device_major, device_minor; /* of device nodes */
    struct timestamp mtime, atime, ctime, btime;
    bool has_btime;
    bool is_mounted; /* something is mounted here, be it of the same file system (where the system
                        tells) */
};

/* Status of the name itself, and of what is open. */
int os_stat_at(os_handle folder, const char *name, struct os_stat *out,
               struct error *err) MUST_CHECK;
int os_stat_handle(os_handle handle, struct os_stat *out, struct error *err) MUST_CHECK;

/* ---- Opening ---- */

/* Opens what the user named: follows links; a folder is opened for listing, anything else fails
 * with ENOTDIR. Paths of any length. */
int os_open_root(const char *path, os_handle *out, struct error *err) MUST_CHECK;
/* Opens a folder below a held one, no-follow (O_NOFOLLOW | O_DIRECTORY). */
int os_open_dir(os_handle folder, const char *name, os_handle *out, struct error *err) MUST_CHECK;
/* Opens the folder that a link of that name leads to, wherever that is: for a link that the user
 * said is to be followed. */
int os_follow_dir(os_handle folder, const char *name, os_handle *out, struct error *err) MUST_CHECK;
/* Opens the folder at a relative path of any length beneath `root`, component by component without
 * passing a link, or at once (openat2 RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS) where there is such a
 * call. An empty path opens `root` once more. */
int os_open_beneath(os_handle root, struct bytes path, os_handle *out,
                    struct error *err) MUST_CHECK;
/* Opens the parent folder of a held one; the caller checks by identity that it is the expected one.
 */
int os_open_parent(os_handle folder, os_handle *out, struct error *err) MUST_CHECK;
/* Opens a regular file for reading, no-follow, never blocking on a FIFO, without changing atime
 * where the system allows. What is no regular file is ERROR_REFUSED. */
int os_open_file(os_handle folder, const char *name, os_handle *out, struct error *err) MUST_CHECK;
/* os_open_file and the status of what was opened, a system call cheaper than one after the other.
 */
int os_open_file_stat(os_handle folder, const char *name, os_handle *out, struct os_stat *status,
                      struct error *err) MUST_CHECK;
/* Opens a path that the user named (an archive) for reading. */
int os_open_path(const char *path, os_handle *out, struct error *err) MUST_CHECK;
/* Status of a path that the user named, following links or not. */
int os_stat_path(const char *path, bool follow, struct os_stat *out, struct error *err) MUST_CHECK;
/* One more handle of what is open, for whoever needs it longer. */
int os_duplicate(os_handle handle, os_handle *out, struct error *err) MUST_CHECK;
/* Closes what was only read; OS_NO_HANDLE is accepted. */
void os_close(os_handle handle);
/* Closes a written file: late write errors (NFS, quota) come out here. */
int os_close_checked(os_handle handle, struct error *err) MUST_CHECK;
/* The standard streams; never to be closed. */
os_handle os_stdin(void);
os_handle os_stdout(void);

/* The absolute path of an open folder or file, as the system tells it, appended. A folder that lies
 * too deep to be told is found by climbing, which reads its parents. */
int os_handle_path(os_handle handle, struct buffer *out, struct error *err) MUST_CHECK;

/* How two open folders lie to each other, by whatever names and mounts they were reached: 1 if
 * `inner` is `outer` or can be reached below it; 1 if something can be reached at or below both; 0
 * if not; -1. */
int os_folder_is_below(os_handle inner, os_handle outer, struct error *err) MUST_CHECK;
int os_folders_overlap(os_handle a, os_handle b, struct error *err) MUST_CHECK;

/* ---- Listing ---- */

/* The names in a folder but for . and .., sorted by unsigned bytes. Names stand NUL-terminated in
 * one piece of memory. */
struct os_name {
    uint32_t offset;   /* into names.data */
    uint16_t bytes;    /* length without the NUL; up to 765 on NTFS */
    uint8_t kind_hint; /* enum os_kind; OS_KIND_UNKNOWN where the system does not tell */
};
struct os_listing {
    struct buffer names;
    struct os_name *items;
    size_t count, capacity;
};
/* Appends all names of the folder, from its start, and sorts; on -1 what was read until then is
 * there, sorted. */
int os_list(os_handle folder, struct os_listing *out, struct error *err) MUST_CHECK;
/* Shows names in the folder and the number of the file that each is a name of, as the folder has
 * it: those that come with one read, in no order. Only where os_volume.listed_numbers says that
 * these are the numbers of os_stat. */
struct os_glance {
    void (*see)(struct os_glance *g, const char *name, uint64_t file);
};
int os_glance_at(os_handle folder, struct os_glance *g, struct error *err) MUST_CHECK;
/* The NUL-terminated name of item `index`, borrowed until the listing changes. */
const char *os_listing_name(const struct os_listing *l, size_t index);
void os_listing_release(struct os_listing *l);

/* ---- Reading ---- */

/* Appends the target's bytes. */
int os_read_link(os_handle folder, const char *name, struct buffer *out,
                 struct error *err) MUST_CHECK;
/* Where the link of that name leads, followed to its end through whatever lies on the way, opening
 * nothing for reading (O_PATH) and mounting nothing. `folder` OS_NO_HANDLE: `name` is a path that
 * the user named. With OS_LEADS_SOMEWHERE the absolute path of what was reached is appended. */
enum os_leads { OS_LEADS_SOMEWHERE, OS_LEADS_NOWHERE, OS_LEADS_IN_CIRCLES };
int os_follow(os_handle folder, const char *name, enum os_leads *leads, struct buffer *real_path,
              struct error *err) MUST_CHECK;
/* Reads up to `capacity` bytes; short only at the end. EINTR is retried, unless
 * os_stop_requested(): then ERROR_INTERRUPTED, as in all calls that can wait. */
int os_read(os_handle handle, void *bytes, size_t capacity, size_t *got,
            struct error *err) MUST_CHECK;
/* One read from a pipe or terminal, which waits no longer than a tenth of a second: 1 and *got (0
 * at the end), 0 nothing came, -1. */
int os_read_some(os_handle handle, void *bytes, size_t capacity, size_t *got,
                 struct error *err) MUST_CHECK;
/* A struct, so that a read at an offset has five parameters. */
struct os_range {
    uint64_t offset;
    size_t bytes;
};
/* The same at an offset; the position stays. */
int os_read_at(os_handle handle, struct os_range range, void *bytes, size_t *got,
               struct error *err) MUST_CHECK;
/* The next range with data at or after `from` (SEEK_DATA, SEEK_HOLE): 1 and start and end, 0 if
 * there is none, -1. Where the file system cannot tell: everything is data. Moves the position of
 * the handle: read with os_read_at. */
int os_next_data(os_handle handle, uint64_t from, uint64_t *start, uint64_t *end,
                 struct error *err) MUST_CHECK;

/* ---- Making ---- */

/* Creates a new regular file for reading and writing, O_EXCL, with exactly this mode
 * (os_prepare_process has cleared the umask). Here and below a default ACL of the folder still
 * changes the mode and gives what is made an ACL: callers set both afterwards. */
int os_create_file(os_handle folder, const char *name, uint32_t mode, os_handle *out,
                   struct error *err) MUST_CHECK;
/* Creates a file without a name in the folder's file system (O_TMPFILE), to be named by
 * os_name_file. ERROR_UNSUPPORTED where there is none. */
int os_create_unnamed(os_handle folder, uint32_t mode, os_handle *out,
                      struct error *err) MUST_CHECK;
/* Gives a nameless file a new name. */
int os_name_file(os_handle file, os_handle folder, const char *name, struct error *err) MUST_CHECK;
/* Writes all bytes, at the position or (the position stays) at an offset. */
int os_write(os_handle handle, const void *bytes, size_t count, struct error *err) MUST_CHECK;
int os_write_at(os_handle handle, uint64_t offset, struct bytes bytes,
                struct error *err) MUST_CHECK;
/* Gives an empty file all the content of another one, holes and all, as shared blocks (FICLONE): 1;
 * 0 if that cannot be done with these two; -1. */
int os_clone(os_handle from, os_handle to, struct error *err) MUST_CHECK;
/* Copies the beginning of a range to the same place of another file without passing it through this
 * process (copy_file_range): 1 and how many bytes; 0 if that cannot be done with these two, or the
 * file ends before; -1. */
int os_copy_range(os_handle from, os_handle to, struct os_range range, uint64_t *copied,
                  struct error *err) MUST_CHECK;
/* Cuts a file, or makes it longer by a hole. */
int os_set_size(os_handle handle, uint64_t size, struct error *err) MUST_CHECK;
/* The set-id bits wait for os_set_mode: mkdir(2) drops them, and a setgid parent hands its own
 * down. */
int os_make_dir(os_handle folder, const char *name, uint32_t mode, struct error *err) MUST_CHECK;
/* A target with a NUL is ERROR_UNSUPPORTED. */
int os_make_symlink(os_handle folder, const char *name, struct bytes target,
                    struct error *err) MUST_CHECK;
/* A FIFO, socket or device node (os_kind) with exactly this mode. */
struct os_node {
    enum os_kind kind;
    uint32_t mode;
    uint32_t device_major, device_minor;
};
int os_make_node(os_handle folder, const char *name, const struct os_node *node,
                 struct error *err) MUST_CHECK;
/* One more name of a file; never follows `from_name`. EMLINK is ERROR_LIMIT. */
int os_link(os_handle from, const char *from_name, os_handle to, const char *to_name,
            struct error *err) MUST_CHECK;
/* Renames within one file system, replacing what stands at `to_name` (not a non-empty folder).
 * POSIX: if both are names of one file nothing happens. */
int os_rename(os_handle from, const char *from_name, os_handle to, const char *to_name,
              struct error *err) MUST_CHECK;
/* Removes a name that is no folder; an empty folder. A link is removed itself. */
int os_remove(os_handle folder, const char *name, struct error *err) MUST_CHECK;
int os_remove_dir(os_handle folder, const char *name, struct error *err) MUST_CHECK;

/* ---- Metadata ---- */

/* What metadata calls act on: an open handle if there is one, else the name itself in the folder,
 * never through a link. */
struct os_object {
    os_handle handle; /* or OS_NO_HANDLE */
    os_handle folder;
    const char *name;
};
/* Owner and group, permission bits (setting an owner clears set-id bits: mode comes second). */
int os_set_owner(const struct os_object *o, uint64_t owner, uint64_t group, struct error *err)
    MUST_CHECK; /* UINT64_MAX: leave; a number that the system does not have is ERROR_LIMIT */
int os_set_mode(const struct os_object *o, uint32_t mode,
                struct error *err) MUST_CHECK; /* ERROR_UNSUPPORTED for symlinks */
/* NULL leaves a time as it is. */
int os_set_times(const struct os_object *o, const struct timestamp *mtime,
                 const struct timestamp *atime, struct error *err) MUST_CHECK;
/* All extended attributes that the caller may see, sorted by name, ACLs included
 * (system.posix_acl_*); where the file system knows none the list is empty. Attributes of the
 * security module that it makes itself (security.selinux, .SMACK64*, .evm, .ima) are listed like
 * others. ERROR_LIMIT if some are longer than the system passes on (streams of NTFS): the list has
 * all others. */
int os_list_xattrs(const struct os_object *o, struct pairs *out, struct error *err) MUST_CHECK;
/* Appends the value of one attribute: 1; 0 if it is not there, whatever the reason; -1. */
int os_get_xattr(const struct os_object *o, const char *name, struct buffer *out,
                 struct error *err) MUST_CHECK;
/* Makes or replaces one attribute; removes one (ENODATA if it is not there). */
int os_set_xattr(const struct os_object *o, const char *name, struct bytes value,
                 struct error *err) MUST_CHECK;
int os_remove_xattr(const struct os_object *o, const char *name, struct error *err) MUST_CHECK;
/* File flags of a regular file or folder (opened by the call, read only, if there is no handle).
 * `*flags` is 0 and the result 0 where the file system has none. */
int os_get_flags(const struct os_object *o, uint32_t *flags, struct error *err) MUST_CHECK;
/* Sets exactly these of our flags and leaves those that we do not know. ERROR_UNSUPPORTED if some
 * are wanted and the file system has none. */
int os_set_flags(const struct os_object *o, uint32_t flags, struct error *err) MUST_CHECK;

/* ---- NTFS: reparse points, and metadata that no other call tells ----
 *
 * On a volume that has them (os_volume.reparse_points; os_ntfs_attributes of any name says 1) what
 * os_read_link tells of a reparse point is made up by the driver, and its kind is not to be told by
 * os_stat_at. [MS-FSCC] 2.1.2, 2.6; ntfs-3g's extended attributes system.ntfs_*. */

enum { OS_REPARSE_MAX_BYTES = 16384 }; /* MAXIMUM_REPARSE_DATA_BUFFER_SIZE, with the header */

enum os_attribute { OS_ATTRIBUTE_DIRECTORY = 0x10, OS_ATTRIBUTE_REPARSE_POINT = 0x400 };
/* The attributes that an attribute of the name below can be told to have; all others follow from
 * what the thing is, or are the driver's. */
enum { OS_ATTRIBUTES_SETTABLE = 0x3127 };

/* The NTFS attributes of an object ([MS-FSCC] 2.6): 1 and *attributes; 0 where the file system has
 * none, and so no reparse points; -1. */
int os_ntfs_attributes(const struct os_object *o, uint32_t *attributes,
                       struct error *err) MUST_CHECK;
/* Appends the reparse buffer of the name itself, every byte: 1; 0 if it is no reparse point; -1. */
int os_read_reparse(os_handle folder, const char *name, struct buffer *out,
                    struct error *err) MUST_CHECK;
/* Which of the two a reparse point is besides its buffer. */
enum os_flavour { OS_FLAVOUR_FILE, OS_FLAVOUR_FOLDER };
/* Makes a new reparse point with exactly this buffer, and reads it back. What cannot be made as
 * asked for is not there: ERROR_UNSUPPORTED if the volume has none, takes no such buffer, or says
 * something else when it is read. */
int os_make_reparse(os_handle folder, const char *name, enum os_flavour flavour, struct bytes raw,
                    struct error *err) MUST_CHECK;
/* Appends what NTFS has of an object besides, as pairs that os_set_xattr takes, sorted: the
 * security descriptor, the attributes (those that are SETTABLE alone, and that a folder has its
 * content compressed), the time of creation, short (DOS) name, object id, EAs. Where the file
 * system has none, nothing. On -1 what could be read was appended. */
int os_list_ntfs(const struct os_object *o, struct pairs *out, struct error *err) MUST_CHECK;
/* True if the volume shows the streams of its files, as attributes user.*: whoever mounts it may
 * have them hidden. `o` is a file or folder of an NTFS volume. */
int os_ntfs_shows_streams(const struct os_object *o, bool *shown, struct error *err) MUST_CHECK;
/* Sets an object's times on NTFS behind os_set_times, on other file systems nothing: os_set_times
 * alone may be forgotten by the driver once the time of creation was set. `creation` is a value of
 * OS_NTFS_CREATION_TIME, empty to leave it; NULL leaves a time as it is. */
int os_set_ntfs_times(const struct os_object *o, struct bytes creation,
                      const struct timestamp *mtime, const struct timestamp *atime,
                      struct error *err) MUST_CHECK;
/* The names of some of them. */
#define OS_NTFS_ACL "system.ntfs_acl"
#define OS_NTFS_ATTRIBUTES "system.ntfs_attrib"
#define OS_NTFS_CREATION_TIME "system.ntfs_crtime"
/* Goes with the last component of the path: a rename takes it away, and while a file has several
 * names it can neither be read nor set. */
#define OS_NTFS_SHORT_NAME "system.ntfs_dos_name"

/* ---- Durability, locks, facts ---- */

/* The file's data and metadata, or a folder's names, to the disk. */
int os_sync_file(os_handle handle, struct error *err) MUST_CHECK;
/* Everything written to the file system that holds `handle`; fsync of the handle where syncfs does
 * not reach (FUSE). */
int os_sync_volume(os_handle handle, struct error *err) MUST_CHECK;
/* An exclusive lock on an open folder or file, gone with the handle: 0 taken, 1 somebody else has
 * it, -1. Changes nothing on disk. */
int os_lock(os_handle handle, struct error *err) MUST_CHECK;

struct os_volume {
    char file_system[32]; /* "ext4", "tmpfs", "fuseblk", ... */
    char identity[64];    /* UUID or f_fsid in hex, "" if not known */
    uint64_t block_bytes;
    uint64_t free_bytes;
    uint32_t time_grain_ns;  /* 1 on the usual ones */
    bool link_count_is_hint; /* counts more than names: NTFS' short names */
    bool reparse_points;     /* has NTFS' links and metadata, see above */
    bool listed_numbers;     /* folders tell the numbers of their files truly: os_glance_at */
    bool many_names;         /* a file can surely have 1000 names, as long as any, in one folder */
};
/* Facts on the file system that holds an open file or folder. */
int os_volume_facts(os_handle handle, struct os_volume *out, struct error *err) MUST_CHECK;

/* Random bytes for temporary names. */
int os_random(void *bytes, size_t count, struct error *err) MUST_CHECK;
/* The time of day. */
struct timestamp os_now(void);
/* Lets a twentieth of a second go by. */
void os_pause(void);
/* Monotonic seconds for rates. */
double os_ticks(void);
size_t os_handle_limit(void); /* how many files and folders this process may have open */
size_t os_core_count(void);   /* cores that this process may run on, at least one */
bool os_is_privileged(void);  /* may set owners: effective uid 0 */
uint64_t os_user(void);       /* effective uid */
/* "linux" or "windows". */
const char *os_system_name(void);
/* Sets the process up: umask 0, SIGPIPE ignored, as many open handles as the system allows (16,384
 * at most). Called once by main, before there are threads. */
void os_prepare_process(void);
/* The mode of a new file as the user wants it: 0666 without what the umask took when
 * os_prepare_process was called. */
uint32_t os_default_mode(void);
/* The same of a new folder: 0777 without that. */
uint32_t os_default_folder_mode(void);
/* After this call os_stop_requested() turns to the signal's number once the user wants to stop
 * (SIGINT, SIGTERM, SIGHUP); 0 until then. The second signal is only noted, the third of a kind
 * ends the process. What the parent had ignored stays ignored. */
void os_watch_signals(void);
int os_stop_requested(void);
/* Is it a terminal, and how many columns has it (0 if not known)? */
bool os_is_terminal(os_handle handle, unsigned *columns);

/* Names of users and groups by number and back; the text is borrowed until the next call of the
 * same kind; NULL or -1 if there is none. A cache of the last answers is kept in `struct
 * os_accounts`. */
struct os_accounts;
int os_accounts_new(struct os_accounts **out, struct error *err) MUST_CHECK;
void os_accounts_free(struct os_accounts *a);
const char *os_user_name(struct os_accounts *a, uint64_t uid);
const char *os_group_name(struct os_accounts *a, uint64_t gid);
int os_user_number(struct os_accounts *a, const char *name, uint64_t *uid);
int os_group_number(struct os_accounts *a, const char *name, uint64_t *gid);

/* What an errno means to the engines above, so that they need no <errno.h>. */
bool os_error_is_missing(const struct error *err);    /* ENOENT */
bool os_error_is_exists(const struct error *err);     /* EEXIST */
bool os_error_is_permission(const struct error *err); /* EPERM, EACCES */
bool os_error_is_unsupported(
    const struct error *err); /* EOPNOTSUPP, ENOSYS, EINVAL where it means that */
bool os_error_is_cross_device(const struct error *err); /* EXDEV */
bool os_error_is_full(const struct error *err);         /* ENOSPC, EDQUOT */
bool os_error_is_broken(const struct error *err); /* EIO, EROFS, ENODEV, ESTALE, ESHUTDOWN: the file
                                                     system as a whole */
bool os_error_is_too_long(
    const struct error *err); /* ENAMETOOLONG: a name, or the target of a link */
bool os_error_is_link(
    const struct error *err); /* ELOOP, ENOTDIR: the name is a link or no folder */
bool os_error_is_not_empty(const struct error *err);   /* ENOTEMPTY, EEXIST of rmdir */
bool os_error_is_closed_pipe(const struct error *err); /* EPIPE */

/* ---- Libraries ---- */

/* A shared library that is loaded while the program runs; it stays until the process ends. What
 * cannot be had is ERROR_UNSUPPORTED, in the system's words.
 * <https://pubs.opengroup.org/onlinepubs/9699919799/functions/dlopen.html>, dlopen(3), ld.so(8) */
struct os_library;
/* Finds it by the name under which the system's loader knows it, with all libraries that it needs;
 * their functions are not seen by the rest of the program. */
int os_library_load(const char *name, struct os_library **out, struct error *err) MUST_CHECK;
/* A function of it, of whatever type: to be converted to its own before it is called. */
typedef void (*os_function)(void);
int os_library_find(struct os_library *library, const char *name, os_function *out,
                    struct error *err) MUST_CHECK;

#endif
