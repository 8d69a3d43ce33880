// The table of socket options: the names of socketeer.v1.SocketOptions beside what setsockopt(2) takes. A new option is
// a row here and a field there.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "server/base/result.h"
#include "server/net/syscalls.h"

namespace socketeer::net {

struct Linger {
  bool enabled = false;
  int seconds = 0;
  friend bool operator==(const Linger&, const Linger&) = default;
};

using OptionValue = std::variant<bool, int32_t, Linger>;

enum class OptionType { kFlag, kInteger, kLinger };

struct OptionRow {
  const char* name;  // the field's name in SocketOptions
  int level;
  int number;
  OptionType type;
  int32_t min;  // kInteger: the smallest and largest value that is passed to the kernel
  int32_t max;
};

// In the order of the field numbers: the order in which options are set.
std::span<const OptionRow> OptionTable();
// Null if there is no such option.
const OptionRow* FindOption(std::string_view name);

// Rows in the table's order, each with its value.
using OptionList = std::vector<std::pair<const OptionRow*, OptionValue>>;

// INVALID_FIELD "options.NAME" when the value is out of the row's range or of another type.
base::Status CheckOption(const OptionRow& row, const OptionValue& value);
// CheckOption, then setsockopt(2). A kernel error (operation and system call "setsockopt", metadata "option" = name).
base::Status SetOption(Syscalls& syscalls, int fd, const OptionRow& row, const OptionValue& value);
base::Result<OptionValue> GetOption(Syscalls& syscalls, int fd, const OptionRow& row);
// Every option that applies to the socket: those that the kernel refuses as unknown to it (ENOPROTOOPT, EOPNOTSUPP) are
// left out; any other failure ends it.
base::Result<OptionList> GetAllOptions(Syscalls& syscalls, int fd);

}  // namespace socketeer::net
