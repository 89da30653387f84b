# What every target of the house shares.

add_library(troupe_options INTERFACE)
target_include_directories(troupe_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(troupe_options INTERFACE -Wall -Wextra -Wpedantic -Werror
  -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -fno-omit-frame-pointer)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # Clang also calls it a shadow when a nested class uses a name of its outer class's members.
  target_compile_options(troupe_options INTERFACE -Wno-shadow)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # Wrong alarms of GCC 12 inside coroutine frames and the standard library.
  target_compile_options(troupe_options INTERFACE -Wno-maybe-uninitialized
    -Wno-restrict -Wno-stringop-overflow -Wno-array-bounds -Wno-mismatched-new-delete)
endif()
if(TROUPE_SANITIZE)
  target_compile_options(troupe_options INTERFACE -fsanitize=${TROUPE_SANITIZE})
  target_link_options(troupe_options INTERFACE -fsanitize=${TROUPE_SANITIZE})
endif()

# A room: a static library named troupe_<room>. Sources are found by name; the
# layer check, not the linker, keeps rooms apart.
function(troupe_room room)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  if(NOT sources)
    return()
  endif()
  add_library(troupe_${room} STATIC ${sources})
  target_link_libraries(troupe_${room} PUBLIC troupe_options ${ARGN})
endfunction()

# A test program of one room: tests/<room>/*_test.cpp in one executable. A main.cpp below it is
# a program of its own.
function(troupe_test room)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${room}/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")
  if(NOT sources)
    return()
  endif()
  add_executable(${room}_test ${sources})
  target_link_libraries(${room}_test PRIVATE ${ARGN} GTest::gtest_main)
  target_compile_definitions(${room}_test PRIVATE TROUPE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  include(GoogleTest)
  gtest_discover_tests(${room}_test TEST_PREFIX "${room}." DISCOVERY_TIMEOUT 60
    PROPERTIES TIMEOUT 120)
endfunction()

# Puts the bytes of `file` into `target`, as what `std::string_view troupe::<function>()` gives;
# a header of the target's own declares it.
function(troupe_embed target file function)
  set(made ${CMAKE_CURRENT_BINARY_DIR}/${function}.cpp)
  set(maker ${CMAKE_SOURCE_DIR}/scripts/cmake/embed.cmake)
  add_custom_command(OUTPUT ${made}
    COMMAND ${CMAKE_COMMAND} -DINPUT=${file} -DOUTPUT=${made} -DFUNCTION=${function} -P ${maker}
    DEPENDS ${file} ${maker} VERBATIM)
  target_sources(${target} PRIVATE ${made})
endfunction()
