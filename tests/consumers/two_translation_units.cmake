# One program, two translation units, compiled for different instruction sets. Both must run, and they may share
# no symbol of the library: the linker would keep one copy, perhaps the one this machine cannot run.
include("${CMAKE_CURRENT_LIST_DIR}/common.cmake")
build_and_run(two "${CMAKE_CURRENT_LIST_DIR}/two_translation_units" "-DTRANSEPT_SOURCE=${source_dir}")
message("${said}")

# Mangled names of library entities contain the length-prefixed name of its namespace.
foreach(unit IN ITEMS baseline avx2)
  file(GLOB_RECURSE object "${work_dir}/two/*${unit}.cpp.o")
  execute_process(COMMAND "${nm}" --defined-only --format=posix "${object}"
                  OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL "[^ \n]*8transept[^ \n]*" symbols_of_${unit} "${symbols}")
  list(LENGTH symbols_of_${unit} count)
  message("${unit}: ${count} symbols of transept")
  if(count EQUAL 0)
    message(FATAL_ERROR "${unit} defines no symbol of transept: the test compares nothing")
  endif()
endforeach()
set(shared "")
foreach(symbol IN LISTS symbols_of_baseline)
  if(symbol IN_LIST symbols_of_avx2)
    string(APPEND shared "  ${symbol}\n")
  endif()
endforeach()
if(shared)
  message(FATAL_ERROR "both translation units define:\n${shared}")
endif()
