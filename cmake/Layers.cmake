# Layers: each folder of src/ is a target holdfast_<layer>, and a layer can include only what it may use.
#
# Includes are spelt "layer/file.h", so the include path must hold the folders' parent. One common parent would
# show every layer to every other. Therefore each layer gets a parent of its own in the build tree with one
# symbolic link in it, and a target sees the parents of the layers that it names in USES, no others.

# holdfast_layer(NAME SOURCES file... USES layer... LIBS target...)
# SOURCES may be empty: the layer then only hands on its headers. LIBS are libraries from outside that stay private
# to the layer.
function(holdfast_layer name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;USES;LIBS")
  set(target holdfast_${name})
  set(parent ${CMAKE_BINARY_DIR}/layers/${name})
  file(MAKE_DIRECTORY ${parent})
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR}/${name} ${parent}/${name} SYMBOLIC)

  list(TRANSFORM arg_USES PREPEND holdfast_)
  if(arg_SOURCES)
    add_library(${target} STATIC ${arg_SOURCES})
    target_include_directories(${target} PUBLIC ${parent})
    target_link_libraries(${target} PUBLIC ${arg_USES} PRIVATE holdfast_flags ${arg_LIBS})
  else()
    add_library(${target} INTERFACE)
    target_include_directories(${target} INTERFACE ${parent})
    target_link_libraries(${target} INTERFACE ${arg_USES})
  endif()
endfunction()
