# SPDX-License-Identifier: Apache-2.0
# libberth, static and shared, from the objects of the layers (docs/decisions/0018-libberth.md). The target `library`
# makes both, and `cmake --install DIRECTORY --component library` installs them: a build of the program alone pays nothing.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(library_layers core os json spec plan cgroup network security hooks sync init engine driver capi)
set(library_objects)
foreach(layer ${library_layers})
  get_target_property(type berth_${layer} TYPE)
  if(type STREQUAL "STATIC_LIBRARY")
    # A precompiled header counts as an object, too.
    list(APPEND library_objects $<FILTER:$<TARGET_OBJECTS:berth_${layer}>,EXCLUDE,[.]gch$>)
  endif()
endforeach()

# One object: link-time optimisation is done here, so that neither library is for one compiler only, and whatever is not
# the API is local (what g++ makes unique in the process has to be made weak before that), so that a static program's own names (another Boost, another fmt) do not meet ours.
set(whole ${CMAKE_CURRENT_BINARY_DIR}/libberth.o)
set(whole_options -r -nostdlib)
string(TOUPPER "${CMAKE_BUILD_TYPE}" config)
separate_arguments(whole_flags UNIX_COMMAND "${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${config}}")
if(CMAKE_INTERPROCEDURAL_OPTIMIZATION)
  # In one partition: with several, g++ 12 stops with an internal error (add_symbol_to_partition_1).
  list(APPEND whole_options -flto -flto-partition=none -flinker-output=nolto-rel -fPIC)
endif()
file(GENERATE OUTPUT ${whole}.list CONTENT "$<JOIN:${library_objects},\n>\n")
add_custom_command(
  OUTPUT ${whole}
  COMMAND ${CMAKE_CXX_COMPILER} ${whole_flags} ${whole_options} -Wl,--force-group-allocation -o ${whole} @${whole}.list
  COMMAND sh -c "$1 --format=posix $2 | sed -n 's/ u .*//p' >$2.unique" - ${CMAKE_NM} ${whole}
  COMMAND ${CMAKE_OBJCOPY} --weaken-symbols=${whole}.unique ${whole}
  COMMAND ${CMAKE_OBJCOPY} --localize-hidden --wildcard --keep-global-symbol=berth_* --keep-global-symbol=_ZN5berth*
          --keep-global-symbol=_ZNK5berth* --keep-global-symbol=_ZT?N5berth* ${whole}
  DEPENDS ${library_objects} ${whole}.list
  COMMAND_EXPAND_LISTS VERBATIM)

set(version_script ${CMAKE_SOURCE_DIR}/cmake/libberth.map)
add_library(berth_static STATIC EXCLUDE_FROM_ALL ${whole})
add_library(berth_shared SHARED EXCLUDE_FROM_ALL ${whole})
set_source_files_properties(${whole} PROPERTIES EXTERNAL_OBJECT TRUE GENERATED TRUE)
set_target_properties(
  berth_static berth_shared
  PROPERTIES OUTPUT_NAME berth LINKER_LANGUAGE CXX INTERPROCEDURAL_OPTIMIZATION OFF
             ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
set_target_properties(berth_static PROPERTIES EXPORT_NAME static)
# As long as the major version is 0, the minor one says whether the C++ interface is compatible; the C interface stays.
set_target_properties(berth_shared PROPERTIES EXPORT_NAME shared VERSION ${PROJECT_VERSION} SOVERSION 0
                                              LINK_DEPENDS ${version_script})
target_link_options(berth_shared PRIVATE -Wl,--version-script=${version_script} -Wl,-z,defs,-z,relro,-z,now
                    -Wl,-z,noexecstack,--gc-sections,--build-id)
foreach(target berth_static berth_shared)
  target_include_directories(${target} INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
endforeach()
# Of a C program: what the objects need. A C++ program has it already.
target_link_libraries(berth_static INTERFACE stdc++ m)
add_custom_target(library DEPENDS berth_static berth_shared)

set(package_directory ${CMAKE_INSTALL_LIBDIR}/cmake/berth)
install(TARGETS berth_static berth_shared EXPORT berthTargets COMPONENT library EXCLUDE_FROM_ALL
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT berthTargets NAMESPACE berth:: DESTINATION ${package_directory} COMPONENT library EXCLUDE_FROM_ALL)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/berth DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        COMPONENT library EXCLUDE_FROM_ALL)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/berthConfigVersion.cmake COMPATIBILITY SameMinorVersion)
file(RELATIVE_PATH prefix_from_pkgconfig /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
string(REGEX REPLACE "/$" "" prefix_from_pkgconfig "${prefix_from_pkgconfig}")
configure_file(${CMAKE_SOURCE_DIR}/cmake/berth.pc.in ${CMAKE_BINARY_DIR}/berth.pc @ONLY)
install(FILES ${CMAKE_SOURCE_DIR}/cmake/berthConfig.cmake ${CMAKE_BINARY_DIR}/berthConfigVersion.cmake
        DESTINATION ${package_directory} COMPONENT library EXCLUDE_FROM_ALL)
install(FILES ${CMAKE_BINARY_DIR}/berth.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
        COMPONENT library EXCLUDE_FROM_ALL)
