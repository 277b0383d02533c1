# discover_tests(TARGET PREFIX): one ctest entry "PREFIX/NAME" per TEST_CASE of a Catch2 program (2.x or 3.x).
#
# Catch2's own catch_discover_tests keeps names in CMake lists, where a name with a semicolon or half a bracket
# ("in [0, 1)") swallows its neighbours; here every name is one string from the program to ctest.
# This file is also the script that runs after each link: it asks the program for its names.
if(NOT DEFINED discover_program)
  function(discover_tests target prefix)
    set(list_file "${CMAKE_CURRENT_BINARY_DIR}/${target}_list.cmake")
    set(include_file "${CMAKE_CURRENT_BINARY_DIR}/${target}_include.cmake")
    get_target_property(emulator ${target} CROSSCOMPILING_EMULATOR)
    if(NOT emulator)
      set(emulator "")
    endif()
    add_custom_command(TARGET ${target} POST_BUILD BYPRODUCTS "${list_file}" VERBATIM
      COMMAND "${CMAKE_COMMAND}" "-Ddiscover_program=$<TARGET_FILE:${target}>" "-Ddiscover_emulator=${emulator}"
              "-Ddiscover_prefix=${prefix}" "-Ddiscover_list=${list_file}"
              -P "${CMAKE_CURRENT_FUNCTION_LIST_FILE}")
    file(WRITE "${include_file}"
      "if(EXISTS [==[${list_file}]==])\n  include([==[${list_file}]==])\nelse()\n"
      "  add_test([==[${prefix} is not built]==] [==[${target} is not built]==])\nendif()\n")
    set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "${include_file}")
  endfunction()
  return()
endif()

cmake_minimum_required(VERSION 3.22)
# What a test says when a name that was asked for is not there: version 3 fails without being told to.
set(if_none "--warn NoTests")
execute_process(COMMAND ${discover_emulator} "${discover_program}" --list-test-names-only
                OUTPUT_VARIABLE names ERROR_VARIABLE said RESULT_VARIABLE result)
# Catch2 2.x answers with the number of names; 3.x does not know the option; below zero, or a word such as
# "Segmentation fault": it failed.
if(names MATCHES "Unrecognised token" OR said MATCHES "Unrecognised token")
  set(if_none "")
  execute_process(COMMAND ${discover_emulator} "${discover_program}" --list-tests --verbosity quiet
                  OUTPUT_VARIABLE names ERROR_VARIABLE said RESULT_VARIABLE result)
endif()
if(NOT result MATCHES "^[0-9]+$")
  message(FATAL_ERROR "${discover_program} cannot tell its tests: ${result}\n${said}")
endif()

set(script "")
string(FIND "${names}" "\n" end)
while(NOT end EQUAL -1)
  string(SUBSTRING "${names}" 0 ${end} name)
  math(EXPR next "${end} + 1")
  string(SUBSTRING "${names}" ${next} -1 names)
  string(FIND "${names}" "\n" end)
  if(name STREQUAL "")
    continue()
  endif()
  # Catch2 reads the name as a pattern: these characters would mean something in it.
  set(pattern "${name}")
  foreach(special IN ITEMS "\\" "," "[" "]")
    string(REPLACE "${special}" "\\${special}" pattern "${pattern}")
  endforeach()
  # At the beginning there is no escape, but a wildcard. (A name that begins with # comes in quotes, and so it goes.)
  string(REGEX REPLACE "^(~|\"([^#]))" "*\\2" pattern "${pattern}")
  set(command "")
  foreach(word IN LISTS discover_emulator)
    string(APPEND command " [==[${word}]==]")
  endforeach()
  # A name that Catch2 does not find again is a failure, not a silent success.
  string(APPEND script
    "add_test([==[${discover_prefix}/${name}]==]${command} [==[${discover_program}]==] [==[${pattern}]==] ${if_none})\n"
    "set_tests_properties([==[${discover_prefix}/${name}]==] PROPERTIES LABELS [==[${discover_prefix}]==]\n"
    "  SKIP_REGULAR_EXPRESSION SKIPPED: TIMEOUT 900)\n")
endwhile()
file(WRITE "${discover_list}" "${script}")
