// Whatever comes to the metrics port is answered, with one whole answer; the page goes only to who asks for it.
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "server/metrics/http.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace std::string_view_literals;
  const std::string page = "a page that no other answer has\n";
  const std::string_view request(reinterpret_cast<const char*>(data), size);
  const std::string answer = socketeer::metrics::AnswerTo(request, page);
  const size_t end = answer.find("\r\n\r\n");
  const size_t length = answer.find("\r\nContent-Length: ");
  if (!answer.starts_with("HTTP/1.1 ") || length >= end || end == std::string::npos) std::abort();
  size_t bytes = 0;
  const char* const digits = answer.data() + length + "\r\nContent-Length: "sv.size();
  if (std::from_chars(digits, answer.data() + end, bytes).ec != std::errc()) std::abort();
  const std::string_view body = std::string_view(answer).substr(end + 4);
  const bool head = request.starts_with("HEAD "), ok = answer.starts_with("HTTP/1.1 200 ");
  if (body.size() != bytes && !(head && ok && body.empty())) std::abort();
  const bool asks = request.starts_with("GET /metrics") && request.find(" HTTP/1.") != std::string_view::npos;
  if ((body == page) && !asks) std::abort();
  return 0;
}
