# Install rules, the CMake package (find_package(transept)) and pkg-config's files.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(transept_package_dir "${CMAKE_INSTALL_DATADIR}/cmake/transept")

install(TARGETS transept transept_native EXPORT transept_targets
        INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
if(TRANSEPT_BUILD_COMPILED)
  install(TARGETS transept_compiled EXPORT transept_targets
          LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
          INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
  set(transept_arch "")
else()
  set(transept_arch ARCH_INDEPENDENT) # headers alone serve any architecture
endif()
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
        FILES_MATCHING PATTERN "*.hpp")
install(EXPORT transept_targets NAMESPACE transept:: FILE transept-targets.cmake
        DESTINATION "${transept_package_dir}")

configure_package_config_file(cmake/transept-config.cmake.in transept-config.cmake
                              INSTALL_DESTINATION "${transept_package_dir}")
write_basic_package_version_file(transept-config-version.cmake COMPATIBILITY SameMinorVersion ${transept_arch})
install(FILES
  "${CMAKE_CURRENT_BINARY_DIR}/transept-config.cmake"
  "${CMAKE_CURRENT_BINARY_DIR}/transept-config-version.cmake"
  cmake/transept_dependencies.cmake cmake/transept_add_config.cmake
  DESTINATION "${transept_package_dir}")

# pkg-config's files, which find the rest from where they lie themselves.
function(transept_install_pc template name folder)
  file(RELATIVE_PATH transept_pc_to_prefix "/prefix/${folder}/pkgconfig" "/prefix")
  string(REGEX REPLACE "/$" "" transept_pc_to_prefix "${transept_pc_to_prefix}")
  configure_file("cmake/${template}" "${name}.pc" @ONLY)
  install(FILES "${CMAKE_CURRENT_BINARY_DIR}/${name}.pc" DESTINATION "${folder}/pkgconfig")
endfunction()
transept_install_pc(transept.pc.in transept "${CMAKE_INSTALL_DATADIR}")
if(TRANSEPT_BUILD_COMPILED)
  transept_install_pc(transept_compiled.pc.in transept-compiled "${CMAKE_INSTALL_LIBDIR}")
endif()
