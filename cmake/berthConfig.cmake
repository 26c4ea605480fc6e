# SPDX-License-Identifier: Apache-2.0
# find_package(berth): the target berth::berth, which is berth::shared, or berth::static where the component `static` is
# asked for. C++ programs compile with C++23: std::expected is in the interface. C programs need nothing.
include(${CMAKE_CURRENT_LIST_DIR}/berthTargets.cmake)

set(berth_shared_FOUND TRUE)
set(berth_static_FOUND TRUE)
foreach(component ${berth_FIND_COMPONENTS})
  if(NOT berth_${component}_FOUND)
    set(berth_FOUND FALSE)
    set(berth_NOT_FOUND_MESSAGE "berth has the components shared and static, not ${component}")
  endif()
endforeach()

if(NOT TARGET berth::berth)
  add_library(berth::berth INTERFACE IMPORTED)
  if("static" IN_LIST berth_FIND_COMPONENTS)
    set_target_properties(berth::berth PROPERTIES INTERFACE_LINK_LIBRARIES berth::static)
  else()
    set_target_properties(berth::berth PROPERTIES INTERFACE_LINK_LIBRARIES berth::shared)
  endif()
endif()
