# What the consumer tests share. Variables they are started with: source_dir, build_dir (transept's), work_dir,
# generator, compiler, nm, least_set (the instruction set that every machine has).
cmake_minimum_required(VERSION 3.22)
file(REMOVE_RECURSE "${work_dir}")
file(MAKE_DIRECTORY "${work_dir}")

function(run)
  list(JOIN ARGV " " line)
  message("-- ${line}")
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE result OUTPUT_VARIABLE said ERROR_VARIABLE said)
  message("${said}")
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "failed: ${line}")
  endif()
  set(said "${said}" PARENT_SCOPE)
endfunction()

# Configures and builds the project `source` in work_dir/NAME with the further -D options, and runs `consumer`.
function(build_and_run name source)
  run("${CMAKE_COMMAND}" -S "${source}" -B "${work_dir}/${name}" -G "${generator}"
      "-DCMAKE_CXX_COMPILER=${compiler}" ${ARGN})
  run("${CMAKE_COMMAND}" --build "${work_dir}/${name}")
  run("${work_dir}/${name}/consumer" "${source_dir}/models/shakespeare")
  if(NOT said MATCHES "consumer: ok")
    message(FATAL_ERROR "the consumer did not say `consumer: ok`")
  endif()
  set(said "${said}" PARENT_SCOPE)
endfunction()
