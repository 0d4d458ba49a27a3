# Files that become part of the program. Whoever uses this includes producer/web/assets.cmake.

# millrace_npm(<folder>): what the folder's package-lock.json names is in its node_modules, exactly.
# ops/setup has fetched it as a rule; this serves whoever calls CMake by hand, or pulls a new lock.
function(millrace_npm folder)
  set(lock ${folder}/package-lock.json)
  set(installed ${folder}/node_modules/.package-lock.json)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${lock})
  if(NOT EXISTS ${installed} OR ${lock} IS_NEWER_THAN ${installed})
    message(STATUS "npm ci in ${folder}")
    execute_process(COMMAND npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
                    WORKING_DIRECTORY ${folder} RESULT_VARIABLE failed)
    if(failed)
      message(FATAL_ERROR "npm ci failed in ${folder}: ops/setup says what is missing")
    endif()
  endif()
endfunction()

# millrace_assets(<target> <function> FOLDER <folder> [COMMAND <words…>] DEPENDS <files…>): a library
# with `std::span<const Asset> millrace::web::<function>()` (asset.h) over every file below FOLDER,
# which COMMAND makes, where there is one. Made again when one of DEPENDS changes.
function(millrace_assets target function)
  cmake_parse_arguments(PARSE_ARGV 2 asked "" "FOLDER" "COMMAND;DEPENDS")
  set(made ${CMAKE_CURRENT_BINARY_DIR}/${target}.cpp)
  set(embed ${CMAKE_SOURCE_DIR}/producer/web/embed.mjs)
  set(first)
  if(asked_COMMAND)
    set(first COMMAND ${asked_COMMAND})
  endif()
  add_custom_command(OUTPUT ${made} ${first}
                     COMMAND node ${embed} ${asked_FOLDER} ${function} ${made}
                     DEPENDS ${embed} ${asked_DEPENDS}
                     WORKING_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} VERBATIM)
  add_library(${target} STATIC ${made})
  # The assembler reads the files that the source names, and a compiler cache cannot know them.
  set_target_properties(${target} PROPERTIES CXX_COMPILER_LAUNCHER "")
endfunction()
