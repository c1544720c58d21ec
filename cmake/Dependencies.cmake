# The libraries from outside: holdfast_hash (xxHash) for base/, holdfast_compression (zlib, zstd) and holdfast_libarchive
# for archive/, threads for os/. libarchive is loaded while the program runs, and only when it is needed: of it
# holdfast_libarchive has the headers, and the name to load it by.
#
# In a Windows build only their headers are needed as long as nothing is linked there: zlib's come with mingw-w64; zstd's
# and xxHash's are the same on every system and are borrowed from the host.

add_library(holdfast_hash INTERFACE)
add_library(holdfast_compression INTERFACE)
# zlib takes input through a pointer to const only when asked to.
target_compile_definitions(holdfast_compression INTERFACE ZLIB_CONST=)

if(WIN32)
  set(host_headers ${CMAKE_BINARY_DIR}/host-headers)
  file(MAKE_DIRECTORY ${host_headers})
  foreach(header zstd.h zstd_errors.h xxhash.h)
    find_file(HOST_${header} ${header} PATHS /usr/include /usr/local/include
      NO_DEFAULT_PATH NO_CMAKE_FIND_ROOT_PATH REQUIRED)
    file(CREATE_LINK ${HOST_${header}} ${host_headers}/${header} SYMBOLIC)
  endforeach()
  find_package(ZLIB REQUIRED)
  target_include_directories(holdfast_hash SYSTEM INTERFACE ${host_headers})
  target_include_directories(holdfast_compression SYSTEM INTERFACE ${host_headers})
  target_link_libraries(holdfast_compression INTERFACE ZLIB::ZLIB)
else()
  find_package(PkgConfig REQUIRED)
  set(THREADS_PREFER_PTHREAD_FLAG ON)
  find_package(Threads REQUIRED)
  pkg_check_modules(LIBARCHIVE REQUIRED IMPORTED_TARGET libarchive)
  pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib)
  pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd>=1.4.0)
  pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash>=0.8.0)
  target_link_libraries(holdfast_hash INTERFACE PkgConfig::XXHASH)
  target_link_libraries(holdfast_compression INTERFACE PkgConfig::ZLIB PkgConfig::ZSTD)
  include(Soname)
  holdfast_soname(LIBARCHIVE_SONAME archive ${LIBARCHIVE_LINK_LIBRARIES})
  add_library(holdfast_libarchive INTERFACE)
  target_include_directories(holdfast_libarchive SYSTEM INTERFACE ${LIBARCHIVE_INCLUDE_DIRS})
  target_compile_definitions(holdfast_libarchive INTERFACE HOLDFAST_LIBARCHIVE_SONAME="${LIBARCHIVE_SONAME}")
  # Where the loader would not look, as cmake does for what is linked.
  list(REMOVE_ITEM LIBARCHIVE_LIBRARY_DIRS ${CMAKE_C_IMPLICIT_LINK_DIRECTORIES})
  list(APPEND CMAKE_BUILD_RPATH ${LIBARCHIVE_LIBRARY_DIRS})
endif()
