#include "server/net/chunk_queue.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <string>

namespace socketeer::net {
namespace {

using base::Chunk;

Chunk Fill(ChunkBuffer& buffer, const std::string& bytes) {
  std::memcpy(buffer.Room(bytes.size()).data(), bytes.data(), bytes.size());
  return buffer.Filled(bytes.size());
}

std::string Joined(const ChunkQueue& queue, size_t most) {
  std::array<iovec, 3> parts;
  std::string bytes;
  const size_t used = queue.Parts(parts, most);
  for (size_t i = 0; i < used; ++i) bytes.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
  return bytes;
}

TEST(ChunkQueue, BytesLeaveInTheOrderTheyCame) {
  ChunkQueue queue;
  EXPECT_TRUE(queue.empty());
  for (const char* bytes : {"abc", "d", "efgh", "ij"}) queue.Push(Chunk::Of(bytes));
  EXPECT_EQ(queue.size(), 10u);
  EXPECT_EQ(queue.Copy(), "abcdefghij");
  queue.Drop(2);
  EXPECT_EQ(queue.Copy(), "cdefghij");
  queue.Drop(2);  // two chunks end here
  EXPECT_EQ(queue.Copy(), "efghij");
  queue.Drop(5);
  EXPECT_EQ(queue.Copy(), "j");
  queue.Drop(1);
  EXPECT_TRUE(queue.empty());
  queue.Push(Chunk::Of("k"));
  EXPECT_EQ(queue.Copy(), "k");
}

TEST(ChunkQueue, AtGivesWhatLiesTogether) {
  ChunkQueue queue;
  for (const char* bytes : {"abc", "d", "efgh"}) queue.Push(Chunk::Of(bytes));
  const std::string all = "abcdefgh";
  const size_t ends[] = {3, 3, 3, 4, 8, 8, 8, 8};
  for (size_t from = 0; from < all.size(); ++from) {
    EXPECT_EQ(queue.At(from, 100).view(), all.substr(from, ends[from] - from)) << from;
    EXPECT_EQ(queue.At(from, 1).view(), all.substr(from, 1)) << from;
  }
}

TEST(ChunkQueue, PartsAreBoundedByBytesAndByNumber) {
  ChunkQueue queue;
  for (const char* bytes : {"abc", "d", "efgh", "ij"}) queue.Push(Chunk::Of(bytes));
  EXPECT_EQ(Joined(queue, 2), "ab");
  EXPECT_EQ(Joined(queue, 3), "abc");
  EXPECT_EQ(Joined(queue, 5), "abcde");
  EXPECT_EQ(Joined(queue, 100), "abcdefgh") << "three parts";
  EXPECT_EQ(Joined(queue, 0), "");
}

// A peer that sends byte by byte must not make its bookkeeping outgrow the bytes.
TEST(ChunkQueue, SmallPiecesShareMemoryAndBookkeeping) {
  ChunkBuffer buffer;
  ChunkQueue queue;
  std::string all;
  for (size_t i = 0; i < ChunkBuffer::kLeast; ++i) {
    all += static_cast<char>('a' + i % 26);
    queue.Push(Fill(buffer, all.substr(i)));
  }
  EXPECT_EQ(queue.At(0, all.size()).view(), all) << "one chunk";
  queue.Push(Fill(buffer, "!"));
  EXPECT_EQ(queue.At(0, all.size() + 1).size(), all.size()) << "the next memory";
  EXPECT_EQ(queue.Copy(), all + "!");
}

TEST(ChunkQueue, WhatIsFilledLaterDoesNotChangeAChunk) {
  ChunkBuffer buffer;
  const Chunk first = Fill(buffer, "abc");
  const Chunk second = Fill(buffer, "def");
  EXPECT_EQ(first.view(), "abc");
  EXPECT_EQ(second.view(), "def");
  EXPECT_EQ(first.data() + 3, second.data());
  buffer.Forget();
  const Chunk third = Fill(buffer, "ghi");
  EXPECT_EQ(first.view(), "abc") << "it has its memory still";
  EXPECT_EQ(third.view(), "ghi");
}

TEST(ChunkQueue, ALargePieceHasItsOwnMemory) {
  ChunkBuffer buffer;
  (void)Fill(buffer, "abc");
  EXPECT_EQ(buffer.Room(100'000).size(), 100'000u) << "as much as it needs";
}

TEST(Chunk, ExtendsWithWhatLiesBehindInTheSameMemoryOnly) {
  const Chunk whole = Chunk::Of("abcdef");
  Chunk front = whole.Sub(0, 2);
  EXPECT_FALSE(front.Extend(whole.Sub(3))) << "there is a gap";
  EXPECT_FALSE(front.Extend(whole.Sub(0, 2)));
  EXPECT_FALSE(front.Extend(Chunk::Of("cd")));
  EXPECT_TRUE(front.Extend(whole.Sub(2, 2)));
  EXPECT_EQ(front.view(), "abcd");
  EXPECT_EQ(whole.Sub(6).size(), 0u);
}

// What lay in memory of others leaves it; a byte that is gathered stays where it is.
TEST(ChunkQueue, GatheredBytesLieTogetherInMemoryOfTheirOwn) {
  const auto theirs = std::make_shared<std::string>("abcdef");
  ChunkQueue queue;
  queue.Gather();
  EXPECT_TRUE(queue.empty());
  for (const size_t at : {0, 4, 2}) queue.Push({theirs, std::string_view(*theirs).substr(at, 2)});
  queue.Drop(1);
  queue.Gather();
  EXPECT_EQ(theirs.use_count(), 1);
  EXPECT_EQ(queue.size(), 5u);
  const Chunk gathered = queue.At(0, 100);
  EXPECT_EQ(gathered.view(), "befcd");
  queue.Push({theirs, *theirs});
  queue.Gather();
  EXPECT_EQ(theirs.use_count(), 1);
  EXPECT_EQ(queue.At(0, 100).data(), gathered.data());
  EXPECT_EQ(queue.Copy(), "befcdabcdef");
  queue.Drop(6);
  EXPECT_EQ(queue.Copy(), "bcdef");
}

}  // namespace
}  // namespace socketeer::net
