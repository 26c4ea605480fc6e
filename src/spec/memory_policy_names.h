// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/mempolicy.h>

#include "json/decode.h"

namespace berth::spec {

// linux.memoryPolicy: the names of runtime-spec 1.3.0 and the numbers of set_mempolicy(2), sorted.
inline constexpr int kWeightedInterleave = 6;  // Linux 6.9
inline constexpr json::Name kMemoryModes[] = {{"MPOL_BIND", MPOL_BIND},
                                              {"MPOL_DEFAULT", MPOL_DEFAULT},
                                              {"MPOL_INTERLEAVE", MPOL_INTERLEAVE},
                                              {"MPOL_LOCAL", MPOL_LOCAL},
                                              {"MPOL_PREFERRED", MPOL_PREFERRED},
                                              {"MPOL_PREFERRED_MANY", MPOL_PREFERRED_MANY},
                                              {"MPOL_WEIGHTED_INTERLEAVE", kWeightedInterleave}};
inline constexpr json::Name kMemoryFlags[] = {{"MPOL_F_NUMA_BALANCING", MPOL_F_NUMA_BALANCING},
                                              {"MPOL_F_RELATIVE_NODES", MPOL_F_RELATIVE_NODES},
                                              {"MPOL_F_STATIC_NODES", MPOL_F_STATIC_NODES}};

}  // namespace berth::spec
