// The steps of a scenario's file.
#pragma once

#include <string>
#include <vector>

#include "client/scenario/known.h"
#include "client/scenario/mistake.h"
#include "client/scenario/model.h"

namespace socketeer::scenario {

// Reads lists of steps one behind another: what an earlier one captures, later ones know.
class StepsReader {
 public:
  // `hosts`: those that there are. All outlive this.
  StepsReader(std::vector<std::string> hosts, std::string folder, absl::Duration limit, Known* known,
              Mistakes* mistakes)
      : hosts_(std::move(hosts)), folder_(std::move(folder)), limit_(limit), known_(*known), mistakes_(*mistakes) {}

  Steps Read(const Value& list, const std::string& what);
  // A map of names to lists of values: a matrix.
  std::vector<std::pair<std::string, std::vector<Value>>> ReadMatrix(const Value& map, const std::string& what);
  absl::Duration ReadLimit(const Value& value, const std::string& what, absl::Duration least);

 private:
  Step ReadStep(const Value& map);
  std::string ReadHost(const Value& map, const std::string& action, bool has_host);
  void ReadAction(const std::string& action, const Value& value, Step* step);
  Call ReadCall(const std::string& action, const Value& value);
  Program ReadProgram(const Value& value);
  Probe ReadProbe(const Value& value);
  Parallel ReadParallel(const Value& value);
  Loop ReadLoop(const Value& value);
  Retry ReadRetry(const Value& value);
  void ReadAnswer(const Value& map, Step* step);
  void CheckMatcher(const std::string& path, const Value& matcher);
  void CheckField(const Value& path, const Step& step);
  bool IsPlain(const Value& word) const;

  const std::vector<std::string> hosts_;
  const std::string folder_;
  const absl::Duration limit_;
  Known& known_;
  Mistakes& mistakes_;
  int depth_ = 0;
};

}  // namespace socketeer::scenario
