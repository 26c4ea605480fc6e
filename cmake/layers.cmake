# SPDX-License-Identifier: Apache-2.0
# berth_layer(NAME MAY_SEE ...): one folder of src/ becomes one static library that links only what it may see, so that a
# wrong dependency does not link. scripts/check_layers.py refuses the include as well.
function(berth_layer name)
  cmake_parse_arguments(LAYER "" "" "MAY_SEE" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cc)
  if(NOT sources)
    add_library(berth_${name} INTERFACE)
    target_link_libraries(berth_${name} INTERFACE berth_flags)
    return()
  endif()
  add_library(berth_${name} STATIC ${sources})
  target_link_libraries(berth_${name} PUBLIC berth_flags)
  foreach(lower ${LAYER_MAY_SEE})
    target_link_libraries(berth_${name} PUBLIC berth_${lower})
  endforeach()
endfunction()

# berth_precompile(HEADER TARGET ...): what most files of these targets read, HEADER and the usual ones of the C++ library, is
# read once.
function(berth_precompile header first)
  target_precompile_headers(
    ${first} PRIVATE <algorithm> <cstring> <expected> <fmt/core.h> <functional> <map> <memory> <optional> <set> <span>
    <string> <string_view> <utility> <variant> <vector> ${CMAKE_SOURCE_DIR}/src/${header})
  foreach(target ${ARGN})
    target_precompile_headers(${target} REUSE_FROM ${first})
  endforeach()
endfunction()
