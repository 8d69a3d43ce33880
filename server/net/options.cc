#include "server/net/options.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <optional>

#include "server/net/errno_table.h"

namespace socketeer::net {
namespace {

constexpr int32_t kMaxInt = std::numeric_limits<int32_t>::max();
constexpr OptionType kFlag = OptionType::kFlag;
constexpr OptionType kInteger = OptionType::kInteger;

constexpr OptionRow kOptionRows[] = {
    {"reuseaddr", SOL_SOCKET, SO_REUSEADDR, kFlag, 0, 1},
    {"reuseport", SOL_SOCKET, SO_REUSEPORT, kFlag, 0, 1},
    {"v6only", IPPROTO_IPV6, IPV6_V6ONLY, kFlag, 0, 1},
    {"broadcast", SOL_SOCKET, SO_BROADCAST, kFlag, 0, 1},
    {"nodelay", IPPROTO_TCP, TCP_NODELAY, kFlag, 0, 1},
    {"keepalive", SOL_SOCKET, SO_KEEPALIVE, kFlag, 0, 1},
    {"linger", SOL_SOCKET, SO_LINGER, OptionType::kLinger, 0, 65535},
    {"rcvbuf", SOL_SOCKET, SO_RCVBUF, kInteger, 0, kMaxInt},
    {"sndbuf", SOL_SOCKET, SO_SNDBUF, kInteger, 0, kMaxInt},
    {"rcvlowat", SOL_SOCKET, SO_RCVLOWAT, kInteger, 0, kMaxInt},
};

base::Error OptionError(std::string call, const OptionRow& row, int number) {
  base::Error error = KernelError(call, call, number);
  error.message = std::string(row.name) + ": " + error.message;
  error.metadata["option"] = row.name;
  return error;
}

base::Error NotOfType(const OptionRow& row) {
  constexpr const char* kTypes[] = {"a flag", "an integer", "a linger"};
  return base::InvalidField("options." + std::string(row.name), "a value of another type",
                            kTypes[static_cast<int>(row.type)]);
}

std::optional<base::Error> CheckRange(const OptionRow& row, const std::string& field, int32_t value) {
  if (value >= row.min && value <= row.max) return std::nullopt;
  return base::InvalidField(field, std::to_string(value), std::to_string(row.min) + " to " + std::to_string(row.max));
}

template <typename T>
base::Status Set(Syscalls& syscalls, int fd, const OptionRow& row, const T& value) {
  if (syscalls.SetSockOpt(fd, row.level, row.number, &value, sizeof(value)) != 0) {
    return OptionError("setsockopt", row, errno);
  }
  return base::Ok();
}

template <typename T>
base::Result<T> Get(Syscalls& syscalls, int fd, const OptionRow& row) {
  T value = {};
  socklen_t size = sizeof(value);
  if (syscalls.GetSockOpt(fd, row.level, row.number, &value, &size) != 0) {
    return OptionError("getsockopt", row, errno);
  }
  return value;
}

bool IsUnknownToSocket(const base::Error& error) {
  return error.errno_number == ENOPROTOOPT || error.errno_number == EOPNOTSUPP;
}

}  // namespace

std::span<const OptionRow> OptionTable() { return kOptionRows; }

const OptionRow* FindOption(std::string_view name) {
  const OptionRow* row = std::ranges::find(kOptionRows, name, &OptionRow::name);
  return row != std::end(kOptionRows) ? row : nullptr;
}

base::Status CheckOption(const OptionRow& row, const OptionValue& value) {
  if (value.index() != static_cast<size_t>(row.type)) return NotOfType(row);
  const std::string field = "options." + std::string(row.name);
  std::optional<base::Error> error;
  if (const int32_t* integer = std::get_if<int32_t>(&value)) {
    error = CheckRange(row, field, *integer);
  } else if (const Linger* wanted = std::get_if<Linger>(&value)) {
    error = CheckRange(row, field + ".seconds", wanted->seconds);
  }
  if (error) return *std::move(error);
  return base::Ok();
}

base::Status SetOption(Syscalls& syscalls, int fd, const OptionRow& row, const OptionValue& value) {
  if (auto status = CheckOption(row, value); !status.ok()) return status;
  if (const int32_t* integer = std::get_if<int32_t>(&value)) {
    return Set<int>(syscalls, fd, row, *integer);
  }
  if (const Linger* wanted = std::get_if<Linger>(&value)) {
    return Set<linger>(syscalls, fd, row, {wanted->enabled ? 1 : 0, wanted->seconds});
  }
  return Set<int>(syscalls, fd, row, std::get<bool>(value) ? 1 : 0);
}

base::Result<OptionValue> GetOption(Syscalls& syscalls, int fd, const OptionRow& row) {
  if (row.type == OptionType::kLinger) {
    base::Result<linger> value = Get<linger>(syscalls, fd, row);
    if (!value.ok()) return std::move(value).error();
    return OptionValue(Linger{value->l_onoff != 0, value->l_linger});
  }
  base::Result<int> value = Get<int>(syscalls, fd, row);
  if (!value.ok()) return std::move(value).error();
  return row.type == OptionType::kFlag ? OptionValue(*value != 0) : OptionValue(*value);
}

base::Result<OptionList> GetAllOptions(Syscalls& syscalls, int fd) {
  OptionList options;
  for (const OptionRow& row : kOptionRows) {
    base::Result<OptionValue> value = GetOption(syscalls, fd, row);
    if (value.ok()) {
      options.emplace_back(&row, *value);
    } else if (!IsUnknownToSocket(value.error())) {
      return std::move(value).error();
    }
  }
  return options;
}

}  // namespace socketeer::net
