/*
 * libarchive.h: libarchive, loaded when it is needed. Loading it and the libraries that it needs
 * itself takes longer than all else at the start of the program, and most runs never meet an
 * archive that is not tar. So the program is not linked with it. Private to the adapter: whatever
 * begins with libarchive calls libarchive_load, all others find the table filled.
 */
#ifndef HOLDFAST_ARCHIVE_LIBARCHIVE_H
#define HOLDFAST_ARCHIVE_LIBARCHIVE_H

#include <archive.h>
#include <archive_entry.h>

#include "base/error.h"

/* All functions of it that are used. */
#define LIBARCHIVE_FUNCTIONS(X)                                                                    \
    X(archive_entry_atime)                                                                         \
    X(archive_entry_atime_is_set)                                                                  \
    X(archive_entry_atime_nsec)                                                                    \
    X(archive_entry_birthtime)                                                                     \
    X(archive_entry_birthtime_is_set)                                                              \
    X(archive_entry_birthtime_nsec)                                                                \
    X(archive_entry_clear)                                                                         \
    X(archive_entry_ctime)                                                                         \
    X(archive_entry_ctime_is_set)                                                                  \
    X(archive_entry_ctime_nsec)                                                                    \
    X(archive_entry_dev)                                                                           \
    X(archive_entry_fflags_text)                                                                   \
    X(archive_entry_filetype)                                                                      \
    X(archive_entry_free)                                                                          \
    X(archive_entry_gid)                                                                           \
    X(archive_entry_gname)                                                                         \
    X(archive_entry_hardlink)                                                                      \
    X(archive_entry_ino64)                                                                         \
    X(archive_entry_is_data_encrypted)                                                             \
    X(archive_entry_mtime)                                                                         \
    X(archive_entry_mtime_is_set)                                                                  \
    X(archive_entry_mtime_nsec)                                                                    \
    X(archive_entry_new)                                                                           \
    X(archive_entry_nlink)                                                                         \
    X(archive_entry_pathname)                                                                      \
    X(archive_entry_perm)                                                                          \
    X(archive_entry_rdevmajor)                                                                     \
    X(archive_entry_rdevminor)                                                                     \
    X(archive_entry_set_gid)                                                                       \
    X(archive_entry_set_ino64)                                                                     \
    X(archive_entry_set_mode)                                                                      \
    X(archive_entry_set_mtime)                                                                     \
    X(archive_entry_set_nlink)                                                                     \
    X(archive_entry_set_pathname)                                                                  \
    X(archive_entry_set_pathname_utf8)                                                             \
    X(archive_entry_set_rdevmajor)                                                                 \
    X(archive_entry_set_rdevminor)                                                                 \
    X(archive_entry_set_size)                                                                      \
    X(archive_entry_set_symlink)                                                                   \
    X(archive_entry_set_uid)                                                                       \
    X(archive_entry_size)                                                                          \
    X(archive_entry_size_is_set)                                                                   \
    X(archive_entry_symlink)                                                                       \
    X(archive_entry_uid)                                                                           \
    X(archive_entry_uname)                                                                         \
    X(archive_entry_xattr_next)                                                                    \
    X(archive_entry_xattr_reset)                                                                   \
    X(archive_errno)                                                                               \
    X(archive_error_string)                                                                        \
    X(archive_filter_bytes)                                                                        \
    X(archive_filter_count)                                                                        \
    X(archive_filter_name)                                                                         \
    X(archive_format)                                                                              \
    X(archive_read_data_block)                                                                     \
    X(archive_read_free)                                                                           \
    X(archive_read_new)                                                                            \
    X(archive_read_next_header)                                                                    \
    X(archive_read_open)                                                                           \
    X(archive_read_open1)                                                                          \
    X(archive_read_set_callback_data)                                                              \
    X(archive_read_set_read_callback)                                                              \
    X(archive_read_set_seek_callback)                                                              \
    X(archive_read_set_skip_callback)                                                              \
    X(archive_read_support_filter_bzip2)                                                           \
    X(archive_read_support_filter_compress)                                                        \
    X(archive_read_support_filter_gzip)                                                            \
    X(archive_read_support_filter_lz4)                                                             \
    X(archive_read_support_filter_lzip)                                                            \
    X(archive_read_support_filter_lzma)                                                            \
    X(archive_read_support_filter_rpm)                                                             \
    X(archive_read_support_filter_xz)                                                              \
    X(archive_read_support_filter_zstd)                                                            \
    X(archive_read_support_format_7zip)                                                            \
    X(archive_read_support_format_ar)                                                              \
    X(archive_read_support_format_cab)                                                             \
    X(archive_read_support_format_cpio)                                                            \
    X(archive_read_support_format_iso9660)                                                         \
    X(archive_read_support_format_lha)                                                             \
    X(archive_read_support_format_rar)                                                             \
    X(archive_read_support_format_rar5)                                                            \
    X(archive_read_support_format_raw)                                                             \
    X(archive_read_support_format_warc)                                                            \
    X(archive_read_support_format_xar)                                                             \
    X(archive_read_support_format_zip_seekable)                                                    \
    X(archive_set_error)                                                                           \
    X(archive_write_close)                                                                         \
    X(archive_write_data)                                                                          \
    X(archive_write_finish_entry)                                                                  \
    X(archive_write_free)                                                                          \
    X(archive_write_header)                                                                        \
    X(archive_write_new)                                                                           \
    X(archive_write_open)                                                                          \
    X(archive_write_set_bytes_in_last_block)                                                       \
    X(archive_write_set_bytes_per_block)                                                           \
    X(archive_write_set_format_7zip)                                                               \
    X(archive_write_set_format_cpio_newc)                                                          \
    X(archive_write_set_format_option)                                                             \
    X(archive_write_set_format_zip)

/* Each as a pointer of its own name, with the type that the library's header declares. */
struct libarchive {
#define LIBARCHIVE_MEMBER(name) __typeof__(&(name)) name;
    LIBARCHIVE_FUNCTIONS(LIBARCHIVE_MEMBER)
#undef LIBARCHIVE_MEMBER
};

/* The process's one, as the library is; written by libarchive_load alone. */
extern struct libarchive la;

/* Fills `la`, once for all threads. ERROR_UNSUPPORTED, with what to install, if the library is not
 * there or lacks one of the functions. */
MUST_CHECK int libarchive_load(struct error *err);

#endif
