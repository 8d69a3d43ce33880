#include "server/metrics/http.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace socketeer::metrics {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr char kPage[] = "one 1\n";

TEST(Http, TheMetricsAreAPage) {
  const std::string answer = AnswerTo("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", kPage);
  EXPECT_EQ(answer,
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: 6\r\n"
            "Connection: close\r\n\r\none 1\n");
  EXPECT_EQ(AnswerTo("GET /metrics?name[]=up HTTP/1.0\r\n\r\n", kPage), answer);
}

TEST(Http, AHeadHasNoBody) {
  const std::string answer = AnswerTo("HEAD /metrics HTTP/1.1\r\n\r\n", kPage);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Length: 6\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
}

TEST(Http, ThereIsNothingElse) {
  for (const char* path : {"/", "/metrics/", "/metricsx", "//metrics", "/../metrics", "/%6detrics", "/?/metrics"}) {
    const std::string answer = AnswerTo(std::string("GET ") + path + " HTTP/1.1\r\n\r\n", kPage);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 404 ")) << path;
    EXPECT_THAT(answer, Not(HasSubstr(kPage)));
  }
}

TEST(Http, NothingCanBeDone) {
  for (const char* method : {"POST", "PUT", "DELETE", "OPTIONS", "get", "CONNECT"}) {
    const std::string answer = AnswerTo(std::string(method) + " /metrics HTTP/1.1\r\n\r\n", kPage);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 405 ")) << method;
    EXPECT_THAT(answer, HasSubstr("Allow: GET, HEAD\r\n"));
    EXPECT_THAT(answer, Not(HasSubstr(kPage)));
  }
}

TEST(Http, WhatIsNoRequestIsSaidToBeNone) {
  using std::string_literals::operator""s;
  for (const std::string& head :
       {"\r\n\r\n"s, "GET\r\n\r\n"s, "GET /metrics\r\n\r\n"s, " /metrics HTTP/1.1\r\n\r\n"s, "GET  HTTP/1.1\r\n\r\n"s,
        "GET /metrics HTTP/2.0\r\n\r\n"s, "GET metrics HTTP/1.1\r\n\r\n"s, "GET http://x/metrics HTTP/1.1\r\n\r\n"s,
        "PRI * HTTP/2.0\r\n\r\n"s, "GET /metrics x HTTP/1.1\r\n\r\n"s, "GET\0/metrics\0HTTP/1.1\r\n\r\n"s,
        std::string(8000, ' ') + "\r\n\r\n", "\x16\x03\x01\r\n\r\n"s, ""s}) {
    const std::string answer = AnswerTo(head, kPage);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 400 ")) << head;
    EXPECT_THAT(answer, Not(HasSubstr(kPage)));
  }
}

}  // namespace
}  // namespace socketeer::metrics
