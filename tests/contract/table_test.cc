// Every legal operation over every kind of socket, on one loop and on four; prints the table of what was run.
#include <cstdio>
#include <map>
#include <string>
#include <tuple>

#include "tests/contract/operations.h"

namespace socketeer::contract {
namespace {

std::vector<Operation> AllOperations() {
  std::vector<Operation> all;
  for (const auto& part : {LifecycleOperations(), ConnectionOperations(), DataOperations(), RecordOperations(),
                           OffsetOperations(), QueryOperations()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

// What became of each cell, in this process. ctest runs each kind in a process of its own; without a filter it is the
// whole.
class Table : public ::testing::Environment {
 public:
  void Set(const std::string& kind, const std::string& operation, bool ok) {
    std::string& cell = cells_[kind][operation];
    if (cell != "FAILED") cell = ok ? "ok" : "FAILED";
  }
  void SetNotApplicable(const std::string& kind, const std::string& operation) { cells_[kind][operation] = "n/a"; }

  void TearDown() override {
    if (cells_.empty()) return;
    const bool whole = ::testing::GTEST_FLAG(filter) == "*";
    std::printf("\n%-26s", "");
    for (const Kind& kind : AllKinds()) std::printf("%-8s", kind.name);
    for (const Operation& operation : AllOperations()) {
      std::printf("\n%-26s", operation.name);
      for (const Kind& kind : AllKinds()) {
        const std::string cell = CellOf(kind.name, operation.name);
        std::printf("%-8s", cell.c_str());
        if (cell.empty() && (whole || cells_.contains(kind.name))) {
          ADD_FAILURE() << operation.name << " was not tried with " << kind.name;
        }
      }
    }
    std::printf("\n\n");
  }

 private:
  std::string CellOf(const std::string& kind, const std::string& operation) const {
    const auto row = cells_.find(kind);
    if (row == cells_.end()) return "";
    const auto cell = row->second.find(operation);
    return cell == row->second.end() ? "" : cell->second;
  }

  std::map<std::string, std::map<std::string, std::string>> cells_;
};

Table* const table = static_cast<Table*>(::testing::AddGlobalTestEnvironment(new Table));

int FailuresSoFar() {
  const auto& result = *::testing::UnitTest::GetInstance()->current_test_info()->result();
  int failures = 0;
  for (int i = 0; i < result.total_part_count(); ++i) failures += result.GetTestPartResult(i).failed() ? 1 : 0;
  return failures;
}

class Contract : public ::testing::TestWithParam<std::tuple<Kind, int>> {};

TEST_P(Contract, EveryOperation) {
  const auto& [kind, loops] = GetParam();
  TestServer server({.loops = loops});
  Rig rig(kind, server);
  for (const Operation& operation : AllOperations()) {
    if (!operation.applies(kind)) {
      table->SetNotApplicable(kind.name, operation.name);
      continue;
    }
    SCOPED_TRACE(operation.name);
    const int before = FailuresSoFar();
    operation.run(rig);
    server.ExpectClean();
    const bool ok = FailuresSoFar() == before;
    table->Set(kind.name, operation.name, ok);
    if (!ok) server.CloseAll();
  }
}

std::string NameOf(const ::testing::TestParamInfo<std::tuple<Kind, int>>& info) {
  const auto& [kind, loops] = info.param;
  std::string name = kind.name;
  if (name.starts_with('@')) name = "abstract_" + name.substr(1);
  return name + "_" + std::to_string(loops) + "loops";
}

INSTANTIATE_TEST_SUITE_P(Kinds, Contract, ::testing::Combine(::testing::ValuesIn(AllKinds()), ::testing::Values(1, 4)),
                         NameOf);

}  // namespace
}  // namespace socketeer::contract
