#include "client/report/write.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "client/report/file.h"
#include "tests/report/sample.h"
#include "tests/support/temp_dir.h"

namespace socketeer::report {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string Content(const std::string& path) {
  std::ostringstream content;
  content << std::ifstream(path).rdbuf();
  return content.str();
}

size_t FilesIn(const std::string& folder) {
  return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

class WriteTest : public ::testing::Test {
 protected:
  testing::TempDir folder_;
};

TEST_F(WriteTest, WritesEachReport) {
  const ReportFiles files = {
      .junit = folder_.File("j"), .json = folder_.File("o"), .tap = folder_.File("t"), .html = folder_.File("h")};
  ASSERT_TRUE(CheckReports(files).ok());
  EXPECT_EQ(FilesIn(folder_.path()), 0);  // a check leaves nothing
  ASSERT_TRUE(WriteReports(SampleRun("several"), files).ok());
  EXPECT_THAT(Content(files.junit), StartsWith("<?xml"));
  EXPECT_THAT(Content(files.json), StartsWith("{"));
  EXPECT_THAT(Content(files.tap), StartsWith("TAP version 14\n1..6\n"));
  EXPECT_THAT(Content(files.html), StartsWith("<!DOCTYPE html>"));
  EXPECT_EQ(FilesIn(folder_.path()), 4);
}

TEST_F(WriteTest, WhoReadsTheOldReportMeanwhileKeepsIt) {
  const std::string path = folder_.File("report");
  ASSERT_TRUE(WriteReport(path, "old").ok());
  std::ifstream reader(path);
  ASSERT_TRUE(WriteReport(path, "new").ok());
  std::string read;
  reader >> read;
  EXPECT_EQ(read, "old");
  EXPECT_EQ(Content(path), "new");
  EXPECT_EQ(FilesIn(folder_.path()), 1);
}

TEST_F(WriteTest, OthersMayReadItAsTheUmaskSays) {
  const std::string path = folder_.File("report");
  const mode_t before = umask(027);
  const bool written = WriteReport(path, "text").ok();
  umask(before);
  ASSERT_TRUE(written);
  EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms(0640));
}

TEST_F(WriteTest, ALinkStaysOne) {
  ASSERT_TRUE(WriteReport(folder_.File("target"), "old").ok());
  std::filesystem::create_symlink("target", folder_.File("link"));
  ASSERT_TRUE(WriteReport(folder_.File("link"), "new").ok());
  EXPECT_TRUE(std::filesystem::is_symlink(folder_.File("link")));
  EXPECT_EQ(Content(folder_.File("target")), "new");
}

TEST_F(WriteTest, APipeIsWrittenAndNotReplaced) {
  const std::string path = folder_.File("pipe");
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  const int reader = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ASSERT_GE(reader, 0);
  EXPECT_TRUE(CheckWritable(path).ok());
  EXPECT_TRUE(WriteReport(path, "text").ok());
  char text[8] = {};
  EXPECT_EQ(read(reader, text, sizeof(text)), 4);
  close(reader);
  EXPECT_STREQ(text, "text");
  EXPECT_TRUE(std::filesystem::is_fifo(path));
}

TEST_F(WriteTest, WhatCannotBeWrittenIsNamedWithItsErrno) {
  const std::string path = folder_.File("none/report");
  const std::string message = path + " cannot be written: No such file or directory (ENOENT)";
  EXPECT_EQ(CheckWritable(path), absl::DataLossError(message));
  EXPECT_EQ(WriteReport(path, "text"), absl::DataLossError(message));
  EXPECT_THAT(std::string(WriteReport(folder_.path(), "text").message()), HasSubstr("(EISDIR)"));
  EXPECT_THAT(std::string(CheckWritable(folder_.path()).message()), HasSubstr("(EISDIR)"));
  EXPECT_THAT(std::string(WriteReport("/dev/full", "text").message()), HasSubstr("(ENOSPC)"));
}

TEST_F(WriteTest, OneThatCannotBeWrittenDoesNotKeepTheOthersBack) {
  const ReportFiles files = {.junit = folder_.File("none/j"), .json = folder_.File("none/o"), .tap = folder_.File("t")};
  const absl::Status written = WriteReports(SampleRun("none"), files);
  EXPECT_THAT(std::string(written.message()), HasSubstr(files.junit));
  EXPECT_THAT(std::string(written.message()), HasSubstr(files.json));
  EXPECT_THAT(Content(files.tap), StartsWith("TAP"));
  EXPECT_FALSE(CheckReports(files).ok());
}

TEST_F(WriteTest, OnePathHoldsOneReport) {
  EXPECT_EQ(CheckReports({.json = "-", .tap = "-"}),
            absl::InvalidArgumentError("standard output can hold one report, not two"));
  EXPECT_FALSE(CheckReports({.junit = folder_.File("x"), .html = folder_.File("x")}).ok());
}

}  // namespace
}  // namespace socketeer::report
