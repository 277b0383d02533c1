# Finds the header-only libraries that transept's headers include, as targets transept::dependency_NAME.
# Used by transept's own build and by its installed package.
#
# A target that already exists (a parent project's, FetchContent's) is taken as it is; then a CMake package;
# then the bare headers, for distributions that ship those alone.
include_guard(DIRECTORY)

# transept_find_headers(NAME header HEADER package PACKAGE targets TARGET... says WHAT-TO-INSTALL)
function(transept_find_headers name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "HEADER;PACKAGE;INSTALL" "TARGETS")
  set(dependency "transept::dependency_${name}")
  if(TARGET ${dependency})
    return()
  endif()
  foreach(attempt IN ITEMS existing package)
    if(attempt STREQUAL "package")
      find_package(${arg_PACKAGE} CONFIG QUIET)
    endif()
    foreach(target IN LISTS arg_TARGETS)
      if(TARGET ${target})
        add_library(${dependency} INTERFACE IMPORTED)
        set_property(TARGET ${dependency} PROPERTY INTERFACE_LINK_LIBRARIES ${target})
        return()
      endif()
    endforeach()
  endforeach()
  string(TOUPPER "${name}" upper)
  find_path(TRANSEPT_${upper}_INCLUDE_DIR NAMES ${arg_HEADER} DOC "Folder that holds <${arg_HEADER}>")
  mark_as_advanced(TRANSEPT_${upper}_INCLUDE_DIR)
  if(NOT TRANSEPT_${upper}_INCLUDE_DIR)
    message(FATAL_ERROR "transept needs <${arg_HEADER}>, which was not found. Install it (Debian: apt-get "
                        "install ${arg_INSTALL}), or set TRANSEPT_${upper}_INCLUDE_DIR to its include folder.")
  endif()
  add_library(${dependency} INTERFACE IMPORTED)
  set_property(TARGET ${dependency}
               PROPERTY INTERFACE_INCLUDE_DIRECTORIES "${TRANSEPT_${upper}_INCLUDE_DIR}")
endfunction()

transept_find_headers(xtensor HEADER xtensor/xtensor_config.hpp PACKAGE xtensor
                      TARGETS xtensor xtensor::xtensor INSTALL libxtensor-dev)
transept_find_headers(xsimd HEADER xsimd/xsimd.hpp PACKAGE xsimd
                      TARGETS xsimd xsimd::xsimd INSTALL libxsimd-dev)
transept_find_headers(json HEADER nlohmann/json.hpp PACKAGE nlohmann_json
                      TARGETS nlohmann_json::nlohmann_json nlohmann_json INSTALL nlohmann-json3-dev)

# std::thread: nothing to link on glibc 2.34 or later; the portable name elsewhere.
if(NOT TARGET Threads::Threads)
  set(THREADS_PREFER_PTHREAD_FLAG ON)
  find_package(Threads REQUIRED)
endif()
