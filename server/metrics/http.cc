#include "server/metrics/http.h"

#include "server/metrics/page.h"

namespace socketeer::metrics {
namespace {

// "GET /metrics HTTP/1.1"
struct RequestLine {
  std::string_view method;
  std::string_view path;
  bool well_formed = false;
};

RequestLine LineOf(std::string_view head) {
  const std::string_view line = head.substr(0, head.find("\r\n"));
  const size_t first = line.find(' '), last = line.rfind(' ');
  if (first == std::string_view::npos || first == 0 || last == first) return {};
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const bool well_formed = target.starts_with('/') && target.find(' ') == std::string_view::npos &&
                           line.substr(last + 1).starts_with("HTTP/1.");
  return {.method = line.substr(0, first), .path = target.substr(0, target.find('?')), .well_formed = well_formed};
}

std::string Answer(std::string_view status, std::string_view headers, std::string_view body, bool with_body = true) {
  std::string answer = "HTTP/1.1 ";
  answer.append(status).append("\r\n").append(headers).append("Content-Length: ").append(std::to_string(body.size()));
  answer.append("\r\nConnection: close\r\n\r\n");
  if (with_body) answer.append(body);
  return answer;
}

}  // namespace

std::string AnswerTo(std::string_view head, const std::string& page) {
  constexpr std::string_view kPlain = "Content-Type: text/plain; charset=utf-8\r\n";
  const RequestLine line = LineOf(head);
  if (!line.well_formed) return Answer("400 Bad Request", kPlain, "this is no HTTP/1 request\n");
  if (line.path != "/metrics") return Answer("404 Not Found", kPlain, "there is /metrics, and nothing else\n");
  const bool is_head = line.method == "HEAD";
  if (line.method != "GET" && !is_head) {
    return Answer("405 Method Not Allowed", std::string("Allow: GET, HEAD\r\n").append(kPlain), "only GET and HEAD\n");
  }
  return Answer("200 OK", std::string("Content-Type: ") + kContentType + "\r\n", page, !is_head);
}

}  // namespace socketeer::metrics
