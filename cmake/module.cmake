# segue_module(train SEES core math LINKS TBB::tbb)
#   a library of src/train/*.cc, and a test program `train_test` of
#   src/train/*_test.cc; both by glob, so that none is forgotten. SEES names
#   the folders that it may include.
#
# NUMERIC: it loops over data, and so do its tests; builds that are otherwise
# not optimised, those with sanitizers, take SEGUE_NUMERIC_OPTIONS for it.
#
# A kernel's files for one instruction set are named *_avx2.cc, *_avx512.cc
# and compiled for it; everything else is baseline and runs on any machine.

add_library(segue_options INTERFACE)
target_compile_options(segue_options INTERFACE -Wall -Wextra -Wpedantic -Werror -Wshadow
                       -Wno-missing-field-initializers -fno-omit-frame-pointer)
target_include_directories(segue_options INTERFACE ${CMAKE_SOURCE_DIR}/src)
if(SEGUE_SANITIZE)
  target_compile_options(segue_options INTERFACE -fsanitize=${SEGUE_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(segue_options INTERFACE -fsanitize=${SEGUE_SANITIZE})
  target_compile_definitions(segue_options INTERFACE SEGUE_SANITIZE)
  if(SEGUE_SANITIZE STREQUAL "thread")
    target_compile_definitions(segue_options INTERFACE SEGUE_SANITIZE_THREAD)
  endif()
  # libstdc++'s coroutines are not those that Boost 1.74 looks for under clang.
  target_compile_definitions(segue_options INTERFACE $<$<CXX_COMPILER_ID:Clang>:BOOST_ASIO_HAS_CO_AWAIT;BOOST_ASIO_HAS_STD_COROUTINE>)
endif()
# g++ 12's false alarms on std::string and std::variant at -O2.
target_compile_options(segue_options INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict;-Wno-maybe-uninitialized>)

# Builds with sanitizers, three quarters of whose time the compiler reads headers,
# read the common ones once: for all targets, or for those that are NUMERIC, whose
# options are others. The other builds do not: they show that each file includes
# what it uses.
function(segue_common_headers target numeric)
  if(NOT SEGUE_SANITIZE)
    return()
  endif()
  set(common segue_headers)
  if(numeric)
    set(common segue_numeric_headers)
  endif()
  if(NOT TARGET ${common})
    file(WRITE ${CMAKE_BINARY_DIR}/${common}.cc "")
    add_library(${common} OBJECT ${CMAKE_BINARY_DIR}/${common}.cc)
    target_link_libraries(${common} PRIVATE segue_options nlohmann_json::nlohmann_json GTest::gtest)
    if(numeric)
      target_compile_options(${common} PRIVATE ${SEGUE_NUMERIC_OPTIONS})
    endif()
    target_compile_options(${common} PRIVATE "SHELL:-Xclang -fno-pch-timestamp")
    target_precompile_headers(${common} PRIVATE <algorithm> <filesystem> <fstream> <functional> <map> <memory> <mutex> <optional>
                              <span> <sstream> <string> <thread> <unordered_map> <vector> <nlohmann/json.hpp> <gtest/gtest.h>)
  endif()
  target_compile_options(${target} PRIVATE "SHELL:-Xclang -fno-pch-timestamp")
  target_precompile_headers(${target} REUSE_FROM ${common})
endfunction()

function(segue_instruction_sets)
  foreach(file ${ARGN})
    if(file MATCHES "_avx")
      set_source_files_properties(${file} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
    endif()
    if(file MATCHES "_avx512\\.cc$" AND CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
      set_source_files_properties(${file} PROPERTIES COMPILE_OPTIONS
        "-O3;-mavx512f;-mavx512dq;-mavx512bw;-mavx512vl;-mavx2;-mfma;-mprefer-vector-width=512")
    elseif(file MATCHES "_avx2\\.cc$" AND CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
      set_source_files_properties(${file} PROPERTIES COMPILE_OPTIONS "-O3;-mavx2;-mfma")
    elseif(file MATCHES "/(eigen|lambdamart|pairwise_steps|mlp_gradient|nearest)\\.cc$")
      set_source_files_properties(${file} PROPERTIES COMPILE_OPTIONS "-O3")  # -O2 leaves its loops scalar
    endif()
  endforeach()
endfunction()

function(segue_test name)
  cmake_parse_arguments(arg "NUMERIC" "" "SOURCES;LINKS" ${ARGN})
  if(NOT SEGUE_TESTS OR NOT arg_SOURCES)
    return()
  endif()
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LINKS} segue_options GTest::gtest GTest::gtest_main)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  if(arg_NUMERIC)
    target_compile_options(${name} PRIVATE ${SEGUE_NUMERIC_OPTIONS})
  endif()
  segue_common_headers(${name} "${arg_NUMERIC}")
endfunction()

function(segue_module name)
  cmake_parse_arguments(arg "NUMERIC" "" "SEES;LINKS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS src/${name}/*.cc)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  segue_instruction_sets(${sources})
  set(sees)
  foreach(other ${arg_SEES})
    list(APPEND sees segue_${other})
  endforeach()
  if(sources)
    add_library(segue_${name} STATIC ${sources})
    target_link_libraries(segue_${name} PUBLIC ${sees} segue_options PRIVATE ${arg_LINKS})
    # nlohmann/json_fwd.hpp is in core's headers.
    target_link_libraries(segue_${name} PUBLIC nlohmann_json::nlohmann_json)
    if(arg_NUMERIC)
      target_compile_options(segue_${name} PRIVATE ${SEGUE_NUMERIC_OPTIONS})
    endif()
    segue_common_headers(segue_${name} "${arg_NUMERIC}")
  else()
    add_library(segue_${name} INTERFACE)
    target_link_libraries(segue_${name} INTERFACE ${sees} ${arg_LINKS} segue_options nlohmann_json::nlohmann_json)
  endif()
  set(numeric)
  if(arg_NUMERIC)
    set(numeric NUMERIC)
  endif()
  segue_test(${name}_test SOURCES ${tests} LINKS segue_${name} ${arg_LINKS} ${numeric})
endfunction()

function(segue_program name)
  cmake_parse_arguments(arg "" "FOLDER" "SEES;LINKS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS src/${arg_FOLDER}/*.cc)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  if(NOT sources)
    return()
  endif()
  set(sees)
  foreach(other ${arg_SEES})
    list(APPEND sees segue_${other})
  endforeach()
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE ${sees} ${arg_LINKS} segue_options)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}
                        BUILD_RPATH "$ORIGIN/lib" INSTALL_RPATH "$ORIGIN/../lib")
endfunction()
