# The manual page and the completion for bash come out of the program's own table of commands. They are made by
# running it, so not when it is built for another system.

if(NOT CMAKE_CROSSCOMPILING)
  set(manual_page ${CMAKE_BINARY_DIR}/holdfast.1)
  set(completion ${CMAKE_BINARY_DIR}/completion/holdfast)
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/completion)
  add_custom_command(OUTPUT ${manual_page} ${completion}
    COMMAND holdfast --manual-page > ${manual_page}
    COMMAND holdfast --bash-completion > ${completion}
    VERBATIM)
  add_custom_target(program_texts ALL DEPENDS ${manual_page} ${completion})
  install(FILES ${manual_page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
  install(FILES ${completion} DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
endif()
