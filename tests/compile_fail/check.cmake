# cmake -Dcompiler=CXX -Dincludes=DIR... -Dsource=FILE -P check.cmake: the test of one file, see CMakeLists.txt.
cmake_minimum_required(VERSION 3.22)

file(STRINGS "${source}" expect_lines REGEX "// expect: .+")
if(NOT expect_lines)
  message(FATAL_ERROR "${source} has no comment `// expect: SENTENCE`")
endif()

# No source excerpts: the sentence must come from the compiler, not from the line it shows. One line per
# message, in English, without colours.
set(flags -std=c++20 -fsyntax-only -fmessage-length=0 -fno-color-diagnostics -fno-caret-diagnostics)
if(NOT compiler MATCHES "clang")
  set(flags -std=c++20 -fsyntax-only -fmessage-length=0 -fdiagnostics-color=never -fno-diagnostics-show-caret)
endif()
foreach(folder IN LISTS includes)
  list(APPEND flags "-I${folder}")
endforeach()
set(ENV{LC_ALL} C)

execute_process(COMMAND "${compiler}" ${flags} -DTRANSEPT_CONTROL "${source}"
                RESULT_VARIABLE control ERROR_VARIABLE said OUTPUT_VARIABLE said)
if(NOT control EQUAL 0)
  message(FATAL_ERROR "the control must compile (-DTRANSEPT_CONTROL), but:\n${said}")
endif()

execute_process(COMMAND "${compiler}" ${flags} "${source}"
                RESULT_VARIABLE result ERROR_VARIABLE said OUTPUT_VARIABLE said)
if(result EQUAL 0)
  message(FATAL_ERROR "${source} compiles, and must not")
endif()
foreach(line IN LISTS expect_lines)
  string(REGEX REPLACE ".*// expect: (.*[^ ]) *$" "\\1" sentence "${line}")
  string(FIND "${said}" "${sentence}" position)
  if(position EQUAL -1)
    message(FATAL_ERROR "the compiler does not say\n  ${sentence}\nbut\n${said}")
  endif()
endforeach()
