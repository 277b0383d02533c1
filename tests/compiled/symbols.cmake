# Whatever the linker could merge between the kernels of two instruction sets, or with anybody's code, must carry the
# instruction set's name: it keeps one copy of an inline function, perhaps one that this processor cannot run.
# Variables: nm, objects (a list), names (their instruction sets, in the same order).
cmake_minimum_required(VERSION 3.22)
foreach(object name IN ZIP_LISTS objects names)
  execute_process(COMMAND "${nm}" --defined-only --format=posix "${object}"
                  OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX MATCHALL "[^\n]+ [A-Zuvw] [^\n]*" global "${symbols}")
  list(LENGTH global count)
  string(LENGTH "${name}" length)
  list(FILTER global EXCLUDE REGEX "${length}${name}")
  # A pointer to the run-time library's routine that unwinds: the same for everybody.
  list(FILTER global EXCLUDE REGEX "^DW\\.ref\\.__gxx_personality_v0 ")
  message("${name}: ${count} symbols")
  if(count LESS 50)
    message(FATAL_ERROR "${object} defines ${count} symbols: the test looks at nothing")
  endif()
  if(global)
    list(JOIN global "\n  " shared)
    message(FATAL_ERROR "${object} could lend others\n  ${shared}")
  endif()
endforeach()
