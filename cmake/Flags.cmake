# How every target of the project is compiled: holdfast_flags carries it, each target links to it.

add_library(holdfast_flags INTERFACE)

target_compile_options(holdfast_flags INTERFACE
  -Wall -Wextra -Wshadow -Wpedantic -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef
  -Wconversion -Wno-sign-conversion -Wpointer-arith -Wwrite-strings -Wcast-qual -Wformat=2)
if(HOLDFAST_WERROR)
  target_compile_options(holdfast_flags INTERFACE -Werror)
endif()

if(WIN32)
  # The formats are checked by the native builds. Here the compiler would check our own printf-like
  # functions against the old msvcrt, although mingw's C99 printf is what runs.
  target_compile_options(holdfast_flags INTERFACE -Wno-format)
else()
  # 64-bit sizes and times on 32-bit systems, too.
  target_compile_definitions(holdfast_flags INTERFACE _FILE_OFFSET_BITS=64 _TIME_BITS=64)
endif()

# Assertions stay on in every build: a backup that stops is better than one that is wrong.
set(CMAKE_C_FLAGS_RELEASE "-O2")

if(HOLDFAST_HARDEN)
  set(CMAKE_POSITION_INDEPENDENT_CODE ON)
  target_compile_options(holdfast_flags INTERFACE
    -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong)
  target_link_options(holdfast_flags INTERFACE -pie -Wl,-z,relro,-z,now)
endif()

if(HOLDFAST_SANITIZE)
  target_compile_options(holdfast_flags INTERFACE
    -fsanitize=${HOLDFAST_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(holdfast_flags INTERFACE -fsanitize=${HOLDFAST_SANITIZE})
endif()
if(HOLDFAST_FUZZ)
  target_compile_options(holdfast_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
