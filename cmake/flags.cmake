# SPDX-License-Identifier: Apache-2.0
# Compiler and linker settings of every target. Hardening: SECURITY.md says what each is for.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS ON)
set(CMAKE_C_STANDARD 11)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()

add_library(berth_flags INTERFACE)
target_include_directories(berth_flags INTERFACE ${CMAKE_SOURCE_DIR}/include ${CMAKE_SOURCE_DIR}/src)
target_compile_definitions(berth_flags INTERFACE _GNU_SOURCE _FILE_OFFSET_BITS=64
                                                 BERTH_VERSION="${PROJECT_VERSION}")
target_compile_options(
  berth_flags
  INTERFACE -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor
            -Werror=unused-result -Wformat=2 -Werror=format-security -Werror
            -fvisibility=hidden -fno-strict-overflow -fno-delete-null-pointer-checks
            -ffunction-sections -fdata-sections)

set(BERTH_HARDENING
    -fstack-protector-strong
    -fstack-clash-protection
    -fcf-protection=full
    -ftrivial-auto-var-init=zero
    -U_FORTIFY_SOURCE
    -D_FORTIFY_SOURCE=3
    -D_GLIBCXX_ASSERTIONS)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64")
  list(REMOVE_ITEM BERTH_HARDENING -fcf-protection=full)
  list(APPEND BERTH_HARDENING -mbranch-protection=standard)
endif()
target_compile_options(berth_flags INTERFACE "$<$<CONFIG:Release>:${BERTH_HARDENING}>")
target_link_options(berth_flags INTERFACE "$<$<CONFIG:Release>:-Wl,-z,relro,-z,now,-z,noexecstack,-z,defs,--gc-sections,--build-id>")
# A quarter of the bytes for what is fixed up at each start; Debian 12's linker knows it for this processor only.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64")
  target_link_options(berth_flags INTERFACE "$<$<CONFIG:Release>:-Wl,-z,pack-relative-relocs>")
endif()
