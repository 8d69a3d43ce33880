// What of a suite runs, and in which order: pure functions.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "client/scenario/value.h"

namespace socketeer::scenario {

using Parameters = std::vector<std::pair<std::string, std::string>>;

// Every combination of the matrix, the last name turning fastest; behind each, what is set. (No name is in both.)
std::vector<Parameters> Combinations(const std::vector<std::pair<std::string, std::vector<Value>>>& matrix,
                                     const std::map<std::string, std::string>& set);

// Why a scenario with `tags` is not among those wanted: "tcp", "!slow". "": it is.
std::string WhyExcluded(const std::vector<std::string>& tags, const std::vector<std::string>& wanted);

// The same order for the same seed, on every machine.
void Shuffle(uint64_t seed, std::vector<size_t>* order);

}  // namespace socketeer::scenario
