# The vcpkg port, run with stand-ins for vcpkg's functions; a project finds what it installs. (vcpkg would then move the
# CMake package to share/transept.)
include("${CMAKE_CURRENT_LIST_DIR}/common.cmake")
set(FEATURES core)
set(CURRENT_PACKAGES_DIR "${work_dir}/packages")
file(MAKE_DIRECTORY "${CURRENT_PACKAGES_DIR}/lib")

function(vcpkg_check_features)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "OUT_FEATURE_OPTIONS" "FEATURES")
  list(POP_FRONT arg_FEATURES feature option)
  if(feature IN_LIST FEATURES)
    set(${arg_OUT_FEATURE_OPTIONS} "-D${option}=ON" PARENT_SCOPE)
  else()
    set(${arg_OUT_FEATURE_OPTIONS} "-D${option}=OFF" PARENT_SCOPE)
  endif()
endfunction()

function(vcpkg_cmake_configure)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "SOURCE_PATH" "OPTIONS")
  run("${CMAKE_COMMAND}" -S "${arg_SOURCE_PATH}" -B "${work_dir}/build" -G "${generator}"
      "-DCMAKE_CXX_COMPILER=${compiler}" "-DCMAKE_INSTALL_PREFIX=${CURRENT_PACKAGES_DIR}" ${arg_OPTIONS})
endfunction()

function(vcpkg_cmake_install)
  run("${CMAKE_COMMAND}" --build "${work_dir}/build" --target install)
endfunction()

function(vcpkg_cmake_config_fixup)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "CONFIG_PATH" "")
  if(NOT EXISTS "${CURRENT_PACKAGES_DIR}/${arg_CONFIG_PATH}/transept-config.cmake")
    message(FATAL_ERROR "no CMake package in ${arg_CONFIG_PATH}")
  endif()
endfunction()

function(vcpkg_fixup_pkgconfig)
endfunction()

function(vcpkg_install_copyright)
  cmake_parse_arguments(PARSE_ARGV 0 arg "" "" "FILE_LIST")
  file(COPY ${arg_FILE_LIST} DESTINATION "${CURRENT_PACKAGES_DIR}/share/transept")
endfunction()

include("${source_dir}/packaging/vcpkg/ports/transept/portfile.cmake")
file(GLOB left "${CURRENT_PACKAGES_DIR}/*")
message("installed: ${left}")
build_and_run(program "${CMAKE_CURRENT_LIST_DIR}/installed" "-DCMAKE_PREFIX_PATH=${CURRENT_PACKAGES_DIR}")

# The version is written once more, in vcpkg's words.
file(READ "${source_dir}/packaging/vcpkg/ports/transept/vcpkg.json" manifest)
string(JSON version GET "${manifest}" version)
file(READ "${CURRENT_PACKAGES_DIR}/share/cmake/transept/transept-config-version.cmake" text)
if(NOT text MATCHES "PACKAGE_VERSION \"${version}\"")
  message(FATAL_ERROR "vcpkg.json says version ${version}, the project another")
endif()
file(READ "${source_dir}/CHANGELOG.md" changes)
if(NOT changes MATCHES "## ${version}")
  message(FATAL_ERROR "CHANGELOG.md has nothing of version ${version}")
endif()
