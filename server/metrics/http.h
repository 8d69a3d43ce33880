// What a request for metrics is answered with: HTTP as bytes, without a network.
#pragma once

#include <string>
#include <string_view>

namespace socketeer::metrics {

// `head`: of a request, up to the empty line. GET and HEAD of /metrics, with any query, get `page`; another path is
// 404, another method 405, what is no HTTP 400. No header changes what is answered, so none is looked at; nor is a
// body. The answer says that the connection ends with it.
std::string AnswerTo(std::string_view head, const std::string& page);

}  // namespace socketeer::metrics
