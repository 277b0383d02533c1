# The compiled library is built shared, for the least of its instruction sets, and installed; a project links it.
include("${CMAKE_CURRENT_LIST_DIR}/common.cmake")
run("${CMAKE_COMMAND}" -S "${source_dir}" -B "${work_dir}/transept" -G "${generator}"
    "-DCMAKE_CXX_COMPILER=${compiler}" -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=ON
    -DTRANSEPT_BUILD_TESTS=OFF -DTRANSEPT_BUILD_EXAMPLES=OFF -DTRANSEPT_BUILD_BENCH=OFF
    "-DTRANSEPT_INSTRUCTION_SETS=${least_set}")
run("${CMAKE_COMMAND}" --build "${work_dir}/transept")
run("${CMAKE_COMMAND}" --install "${work_dir}/transept" --prefix "${work_dir}/prefix")
build_and_run(program "${CMAKE_CURRENT_LIST_DIR}/shared" "-DCMAKE_PREFIX_PATH=${work_dir}/prefix")
