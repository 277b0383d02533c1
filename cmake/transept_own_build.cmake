# What this project's own tests, examples and benchmarks are compiled with. No consumer sees any of it.

# Every own target links transept_own: the library, for the chosen machine, with the warnings the headers
# promise to be free of.
add_library(transept_own INTERFACE)
if(TRANSEPT_NATIVE)
  target_link_libraries(transept_own INTERFACE transept::native)
else()
  target_link_libraries(transept_own INTERFACE transept::transept)
endif()
target_compile_options(transept_own INTERFACE
  "$<$<COMPILE_LANG_AND_ID:CXX,GNU,Clang,AppleClang>:-Wall;-Wextra;-Wpedantic;-Wshadow;-Wconversion>"
  # GCC 12 at -O3 warns of overlapping copies inside std::string, of lengths no string has (its bug 105651).
  "$<$<AND:$<COMPILE_LANG_AND_ID:CXX,GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>")

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
