# What this project's own tests, examples and benchmarks are compiled with. No consumer sees any of it.

# The warnings that the headers promise to be free of.
add_library(transept_own_warnings INTERFACE)
target_compile_options(transept_own_warnings INTERFACE
  "$<$<COMPILE_LANG_AND_ID:CXX,GNU,Clang,AppleClang>:-Wall;-Wextra;-Wpedantic;-Wshadow;-Wconversion>"
  # GCC 12 at -O3 warns of overlapping copies inside std::string, of lengths no string has (its bug 105651).
  "$<$<AND:$<COMPILE_LANG_AND_ID:CXX,GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>")

# Every own target links one of two: the headers alone, for the chosen machine (the tests of what vectors
# compute, and benchmarks of that), or the compiled library (all other tests, and the programs).
add_library(transept_own_headers INTERFACE)
target_link_libraries(transept_own_headers INTERFACE transept_own_warnings
  "$<IF:$<BOOL:${TRANSEPT_NATIVE}>,transept::native,transept::transept>")
add_library(transept_own INTERFACE)
if(TRANSEPT_BUILD_COMPILED)
  target_link_libraries(transept_own INTERFACE transept_own_warnings transept::compiled)
  target_link_libraries(transept_compiled PRIVATE "$<BUILD_INTERFACE:transept_own_warnings>")
else()
  target_link_libraries(transept_own INTERFACE transept_own_headers)
endif()

if(PROJECT_IS_TOP_LEVEL)
  if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug, Release, RelWithDebInfo or MinSizeRel" FORCE)
  endif()
  # A second build of unchanged sources costs seconds where ccache is installed.
  find_program(TRANSEPT_CCACHE ccache DOC "ccache, or empty")
  mark_as_advanced(TRANSEPT_CCACHE)
  if(TRANSEPT_CCACHE AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER "${TRANSEPT_CCACHE}")
  endif()
  set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
  set(CMAKE_CXX_EXTENSIONS OFF)
endif()
