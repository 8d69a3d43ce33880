#include "client/scenario/variables.h"

#include <algorithm>

#include "socketeer/text.h"

namespace socketeer::scenario {
namespace {

constexpr size_t kMaxFilled = 4 << 20;  // variables of variables must not fill the memory

bool IsNameByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

// What stands at the front of a text.
struct Piece {
  size_t size = 0;          // of it in the text
  std::string_view text{};  // as it is
  std::string_view name{};  // or of a variable
};

absl::StatusOr<Piece> NextPiece(std::string_view text) {
  const size_t dollar = text.find('$');
  if (dollar != 0) return Piece{.size = std::min(dollar, text.size()), .text = text.substr(0, dollar)};
  if (text.starts_with("$$")) return Piece{.size = 2, .text = "$"};
  const size_t end = text.find('}');
  if (!text.starts_with("${") || end == text.npos || end == 2 ||
      !std::all_of(text.begin() + 2, text.begin() + static_cast<std::ptrdiff_t>(end), IsNameByte)) {
    return absl::InvalidArgumentError("at " + Quoted(text.substr(0, 20)) +
                                      ": a variable is ${name}, of letters, digits, _ and -; a dollar sign is $$");
  }
  return Piece{.size = end + 1, .name = text.substr(2, end - 2)};
}

absl::Status ForEachPiece(std::string_view text, const std::function<absl::Status(const Piece&)>& use) {
  while (!text.empty()) {
    const absl::StatusOr<Piece> piece = NextPiece(text);
    if (!piece.ok()) return piece.status();
    if (absl::Status status = use(*piece); !status.ok()) return status;
    text.remove_prefix(piece->size);
  }
  return absl::OkStatus();
}

}  // namespace

bool IsVariableName(std::string_view name) {
  return !name.empty() && name.size() <= 63 && std::all_of(name.begin(), name.end(), IsNameByte);
}

void Variables::Set(std::string_view name, std::string value) {
  const std::lock_guard<std::mutex> lock(mutex_);
  values_.insert_or_assign(std::string(name), std::move(value));
}

void Variables::SetOutermost(std::string_view name, std::string value) {
  if (outer_ != nullptr) return outer_->SetOutermost(name, std::move(value));
  Set(name, std::move(value));
}

std::optional<std::string> Variables::Get(std::string_view name) const {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = values_.find(name);
    if (found != values_.end()) return found->second;
  }
  return outer_ == nullptr ? std::nullopt : outer_->Get(name);
}

absl::StatusOr<std::string> Variables::Fill(std::string_view text) const {
  std::string filled;
  absl::Status status = ForEachPiece(text, [&](const Piece& piece) {
    if (piece.name.empty()) {
      filled += piece.text;
      return absl::OkStatus();
    }
    const std::optional<std::string> value = Get(piece.name);
    if (!value.has_value()) {
      return absl::InvalidArgumentError("${" + std::string(piece.name) + "} has no value");
    }
    filled += *value;
    if (filled.size() <= kMaxFilled) return absl::OkStatus();
    return absl::InvalidArgumentError("with its variables put in this is longer than 4 MiB");
  });
  if (!status.ok()) return status;
  return filled;
}

absl::Status ForEachVariable(std::string_view text, const std::function<void(std::string_view name)>& use) {
  return ForEachPiece(text, [&](const Piece& piece) {
    if (!piece.name.empty()) use(piece.name);
    return absl::OkStatus();
  });
}

}  // namespace socketeer::scenario
