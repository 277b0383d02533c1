# transept's source tree is part of another project: by add_subdirectory, by FetchContent, and on a system that
# ships the headers transept needs without their CMake packages.
include("${CMAKE_CURRENT_LIST_DIR}/common.cmake")
set(project "${CMAKE_CURRENT_LIST_DIR}/subdirectory")
build_and_run(add_subdirectory "${project}" "-DTRANSEPT_SOURCE=${source_dir}")
build_and_run(fetch_content "${project}" "-DFETCHCONTENT_SOURCE_DIR_TRANSEPT=${source_dir}")
build_and_run(headers_alone "${project}" "-DTRANSEPT_SOURCE=${source_dir}" -DCMAKE_DISABLE_FIND_PACKAGE_xtensor=ON
              -DCMAKE_DISABLE_FIND_PACKAGE_xsimd=ON -DCMAKE_DISABLE_FIND_PACKAGE_nlohmann_json=ON)
