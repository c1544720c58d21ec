# The name by which the system's loader finds a library: what the linker would have written into a program that is
# linked with it (DT_SONAME of the ELF file). It carries the library's version, so it is read, never guessed.

# holdfast_soname(OUT NAME LIBRARY...): sets OUT to the soname of that of the files which is libNAME, unless it is given
# by hand (-DOUT=...), as it must be where there is none to be read: the library is there as libNAME.a, say.
function(holdfast_soname out name)
  if(${out})
    return()
  endif()
  set(files ${ARGN})
  list(FILTER files INCLUDE REGEX "/lib${name}\\.[^/]*$")
  set(soname)
  if(files)
    list(GET files 0 file)
    # Both come with the compiler; either may be another implementation's.
    if(CMAKE_OBJDUMP)
      execute_process(COMMAND ${CMAKE_OBJDUMP} -p ${file} OUTPUT_VARIABLE text ERROR_QUIET)
    elseif(CMAKE_READELF)
      execute_process(COMMAND ${CMAKE_READELF} -d ${file} OUTPUT_VARIABLE text ERROR_QUIET)
    endif()
    if(text MATCHES "(SONAME|soname:)[ ]+\\[?([^] \n]+)")
      set(soname ${CMAKE_MATCH_2})
    endif()
  endif()
  if(NOT soname)
    message(FATAL_ERROR "lib${name}: no soname can be read from \"${files}\". Say by which name it is to be loaded "
      "when the program runs: -D${out}=lib${name}.so.NUMBER")
  endif()
  message(STATUS "lib${name} is loaded as ${soname}")
  set(${out} ${soname} PARENT_SCOPE)
endfunction()
