// Frames of an attached stream: however a message is cut into slices, it is read as the generated parser reads it, and
// what is written is read again. The first two bytes say where it is cut.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "tests/fuzz/quiet.h"
#include "tests/support/split_buffer.h"

namespace {

using socketeer::GeneratedWords;
using socketeer::OwnWords;

template <typename Message>
void Judge(std::string_view bytes, size_t first, size_t second) {
  const std::string expected = GeneratedWords<Message>(bytes);
  if (OwnWords<Message>(bytes, {first, second}) != expected) std::abort();
  if (bytes.size() > 64) return;
  for (size_t cut = 0; cut <= bytes.size(); ++cut) {
    if (OwnWords<Message>(bytes, {cut}) != expected) std::abort();
  }
}

void JudgeWriting(std::string_view bytes) {
  const auto parsed = socketeer::wire::ParsePlainData(socketeer::SplitBuffer(bytes, {}));
  if (!parsed) return;
  const auto again = socketeer::wire::ParsePlainData(socketeer::wire::SerializeData(*parsed));
  if (!again || again->offset != parsed->offset) std::abort();
  if (socketeer::Joined(again->bytes) != socketeer::Joined(parsed->bytes)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const size_t first = data[0], second = first + data[1];
  Judge<socketeer::v1::AttachSocketRequest>(bytes, first, second);
  Judge<socketeer::v1::AttachSocketResponse>(bytes, first, second);
  JudgeWriting(bytes);
  return 0;
}
