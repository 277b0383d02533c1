# The compiled library is installed, and a project links it; one of its files uses the headers alone, for AVX2.
include("${CMAKE_CURRENT_LIST_DIR}/common.cmake")
run("${CMAKE_COMMAND}" --install "${build_dir}" --prefix "${work_dir}/prefix")
build_and_run(both "${CMAKE_CURRENT_LIST_DIR}/compiled" "-DCMAKE_PREFIX_PATH=${work_dir}/prefix")
message("${said}")
