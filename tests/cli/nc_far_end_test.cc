#include "client/cli/nc_far_end.h"

#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "socketeer/host.h"
#include "tests/client/mocks.h"

namespace socketeer::cli {
namespace {

using ::testing::_;
using ::testing::DoAll;
using ::testing::Property;
using ::testing::Return;
using ::testing::SetArgPointee;

TEST(NcDatagrams, ACutOneIsTold) {
  auto stub = std::make_shared<v1::MockSocketServiceStub>();
  const Host host({.sockets = stub, .sessions = nullptr, .host = nullptr, .health = nullptr}, "unix:/x");
  v1::ReceiveDatagramsResponse response;
  response.add_datagrams()->set_payload("whole, ");
  v1::IncomingDatagram& cut = *response.add_datagrams();
  cut.set_payload("front");
  cut.set_true_size(3'000'000);
  cut.set_truncated(true);
  EXPECT_CALL(*stub, ReceiveDatagrams(_, Property(&v1::ReceiveDatagramsRequest::max_bytes, 5), _))
      .WillOnce(DoAll(SetArgPointee<2>(response), Return(grpc::Status::OK)));

  const RemoteSocket socket = host.Handle("sockets/a");
  NcDatagrams datagrams(socket, 5);
  EXPECT_EQ(**datagrams.Receive(), "whole, front");
  const absl::Status told = datagrams.Receive().status();
  EXPECT_EQ(told.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(told.message()), ::testing::HasSubstr("a datagram of 3000000 bytes was cut to 5"));
}

}  // namespace
}  // namespace socketeer::cli
