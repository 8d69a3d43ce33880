// Bytes and datagrams, in and out.
#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "server/net/datagram_operations.h"
#include "server/net/stream_operations.h"
#include "server/rpc/address_book.h"
#include "server/rpc/convert.h"
#include "server/rpc/socket_service.h"

namespace socketeer::rpc {
namespace {

constexpr uint32_t kDefaultReceiveBytes = 65'536;

std::optional<uint64_t> Named(bool has, uint64_t number) { return has ? std::optional(number) : std::nullopt; }

// A data call, its common part checked.
struct DataCall {
  registry::RecordPtr record;
  net::SocketKind kind;
  net::Mode mode;
  std::optional<std::chrono::nanoseconds> timeout;
};

// `stream`: whether the call is for stream sockets; `instead`: the call for the other kinds.
template <typename Request>
base::Result<DataCall> CheckData(Call& call, const Request& request, const char* verb, bool stream,
                                 const char* instead) {
  auto record = call.Find(request.name(), request.uid());
  if (!record.ok()) return std::move(record).error();
  auto mode = FromProto(request.mode());
  if (!mode.ok()) return std::move(mode).error();
  auto timeout = TimeoutOf(request);
  if (!timeout.ok()) return std::move(timeout).error();
  DataCall data{.record = *record, .kind = call.core().registry.KindOf(*record), .mode = *mode, .timeout = *timeout};
  if (data.kind.IsStream() != stream) {
    base::Error error = base::WrongKind(verb, data.kind.Word(), instead);
    error.operation.clear();  // the call says it: "send", not "SendData"
    return error;
  }
  return data;
}

// The bounds of a receive: how many at most, and with WHOLE how many at least.
struct Bounds {
  uint32_t max = 0;
  uint32_t min = 0;
};
base::Result<Bounds> CheckBounds(net::Mode mode, uint32_t max, uint32_t min, uint32_t default_max, uint32_t limit,
                                 const std::string& unit) {
  const bool whole = mode == net::Mode::kWhole;
  if (min != 0 && !whole) {
    return base::InvalidField("min_" + unit, std::to_string(min), "0 unless mode is MODE_WHOLE");
  }
  if (max == 0) max = std::max(default_max, min);
  if (auto in = InRange(max, 1, limit, "max_" + unit); !in.ok()) return std::move(in).error();
  if (whole && min == 0) min = max;
  if (auto in = InRange(min, 0, max, "min_" + unit); !in.ok()) return std::move(in).error();
  return Bounds{.max = max, .min = min};
}

base::Status CheckPayload(uint64_t bytes, const base::Limits& limits, const std::string& field) {
  if (bytes <= limits.max_payload_bytes) return base::Ok();
  return base::InvalidField(field, std::to_string(bytes) + " bytes",
                            "at most " + std::to_string(limits.max_payload_bytes) + " bytes");
}

}  // namespace

SocketService::Reactor* SocketService::SendData(Context* context, const v1::SendDataRequest* request,
                                                v1::SendDataResponse* response) {
  return Serve(core_, *context, Method::kSendData, *request, [=, this](Call& call) -> base::Status {
    auto data = CheckData(call, *request, "SendData", true, "SendDatagrams");
    if (!data.ok()) return std::move(data).error();
    auto size = CheckPayload(request->data().size(), core_.limits, "data");
    if (!size.ok()) return size;
    call.Post(data->record, [=, &call, base = call.OperationOf(data->mode, data->timeout)](net::Socket& socket) {
      const auto offset = Named(request->has_offset(), request->offset());
      socket.Start(std::make_unique<net::SendOperation>(base, request->data(), offset,
                                                        [=, &call](base::Result<net::SendResult> result) {
                                                          call.Answer(std::move(result), [&](net::SendResult sent) {
                                                            response->set_bytes_sent(sent.bytes_sent);
                                                            response->set_timed_out(sent.timed_out);
                                                            response->set_next_offset(sent.next_offset);
                                                            response->set_bytes_skipped(sent.bytes_skipped);
                                                          });
                                                        }));
    });
    return base::Ok();
  });
}

SocketService::Reactor* SocketService::ReceiveData(Context* context, const v1::ReceiveDataRequest* request,
                                                   v1::ReceiveDataResponse* response) {
  return Serve(core_, *context, Method::kReceiveData, *request, [=, this](Call& call) -> base::Status {
    auto data = CheckData(call, *request, "ReceiveData", true, "ReceiveDatagrams");
    if (!data.ok()) return std::move(data).error();
    auto bounds = CheckBounds(data->mode, request->max_bytes(), request->min_bytes(), kDefaultReceiveBytes,
                              core_.limits.max_payload_bytes, "bytes");
    if (!bounds.ok()) return std::move(bounds).error();
    if (request->peek() && data->mode == net::Mode::kWhole) {
      return base::InvalidField("peek", "true", "false with MODE_WHOLE");
    }
    const net::ReceiveOperation::Want want{.max_bytes = bounds->max,
                                           .min_bytes = bounds->min,
                                           .peek = request->peek(),
                                           .offset = Named(request->has_offset(), request->offset())};
    call.Post(data->record, [=, &call, base = call.OperationOf(data->mode, data->timeout)](net::Socket& socket) {
      socket.Start(
          std::make_unique<net::ReceiveOperation>(base, want, [=, &call](base::Result<net::ReceiveResult> result) {
            call.Answer(std::move(result), [&](net::ReceiveResult received) {
              response->set_data(std::move(received.data));
              response->set_end_of_stream(received.end_of_stream);
              response->set_timed_out(received.timed_out);
              response->set_offset(received.offset);
              response->set_replayed(received.replayed);
            });
          }));
    });
    return base::Ok();
  });
}

SocketService::Reactor* SocketService::SendDatagrams(Context* context, const v1::SendDatagramsRequest* request,
                                                     v1::SendDatagramsResponse* response) {
  return Serve(core_, *context, Method::kSendDatagrams, *request, [=, this](Call& call) -> base::Status {
    auto data = CheckData(call, *request, "SendDatagrams", false, "SendData");
    if (!data.ok()) return std::move(data).error();
    const uint32_t most = core_.limits.max_datagrams_per_call;
    if (request->datagrams().empty() || static_cast<uint32_t>(request->datagrams_size()) > most) {
      return base::InvalidField("datagrams", std::to_string(request->datagrams_size()) + " datagrams",
                                "1 to " + std::to_string(most) + " datagrams");
    }
    uint64_t bytes = 0;
    std::vector<EndpointQuery> queries;
    for (int i = 0; i < request->datagrams_size(); ++i) {
      const v1::OutgoingDatagram& each = request->datagrams(i);
      bytes += each.payload().size();
      if (!each.has_destination()) continue;
      queries.push_back({each.destination(), "datagrams[" + std::to_string(i) + "].destination"});
    }
    if (auto size = CheckPayload(bytes, core_.limits, "datagrams"); !size.ok()) return size;
    return ResolveAll(call, std::move(queries), data->kind, [=, &call, data = *data](std::vector<Addresses> found) {
      std::vector<net::OutgoingDatagram> datagrams;
      size_t next = 0;
      for (const v1::OutgoingDatagram& each : request->datagrams()) {
        datagrams.push_back({.payload = each.payload(), .destination = {}});
        if (each.has_destination()) datagrams.back().destination = found[next++].list[0];
      }
      const auto base = call.OperationOf(data.mode, data.timeout);
      call.Post(data.record, [=, &call, datagrams = std::move(datagrams)](net::Socket& socket) mutable {
        const auto sequence = Named(request->has_sequence(), request->sequence());
        socket.Start(std::make_unique<net::SendDatagramsOperation>(
            base, std::move(datagrams), sequence, [=, &call](base::Result<net::SendDatagramsResult> result) {
              call.Answer(std::move(result), [&](net::SendDatagramsResult sent) {
                response->set_datagrams_sent(sent.datagrams_sent);
                response->set_timed_out(sent.timed_out);
                response->set_next_sequence(sent.next_sequence);
                response->set_datagrams_skipped(sent.datagrams_skipped);
              });
            }));
      });
    });
  });
}

SocketService::Reactor* SocketService::ReceiveDatagrams(Context* context, const v1::ReceiveDatagramsRequest* request,
                                                        v1::ReceiveDatagramsResponse* response) {
  return Serve(core_, *context, Method::kReceiveDatagrams, *request, [=, this](Call& call) -> base::Status {
    auto data = CheckData(call, *request, "ReceiveDatagrams", false, "ReceiveData");
    if (!data.ok()) return std::move(data).error();
    auto bounds = CheckBounds(data->mode, request->max_datagrams(), request->min_datagrams(), 1,
                              core_.limits.max_datagrams_per_call, "datagrams");
    if (!bounds.ok()) return std::move(bounds).error();
    const uint32_t max_bytes = request->max_bytes() == 0 ? kDefaultReceiveBytes : request->max_bytes();
    auto size = InRange(max_bytes, 1, core_.limits.max_payload_bytes, "max_bytes");
    if (!size.ok()) return std::move(size).error();
    if (request->peek() && data->mode == net::Mode::kWhole) {
      return base::InvalidField("peek", "true", "false with MODE_WHOLE");
    }
    if (request->peek() && bounds->max != 1) {
      return base::InvalidField("max_datagrams", std::to_string(bounds->max), "0 or 1 with peek");
    }
    const net::ReceiveDatagramsOperation::Want want{.max_datagrams = bounds->max,
                                                    .min_datagrams = bounds->min,
                                                    .max_bytes = max_bytes,
                                                    .peek = request->peek(),
                                                    .sequence = Named(request->has_sequence(), request->sequence())};
    call.Post(data->record, [=, &call, base = call.OperationOf(data->mode, data->timeout)](net::Socket& socket) {
      socket.Start(std::make_unique<net::ReceiveDatagramsOperation>(
          base, want, [=, &call](base::Result<net::ReceiveDatagramsResult> result) {
            call.Answer(std::move(result), [&](net::ReceiveDatagramsResult received) {
              for (net::IncomingDatagram& each : received.datagrams) {
                ToProto(std::move(each), response->add_datagrams());
              }
              response->set_end_of_stream(received.end_of_stream);
              response->set_timed_out(received.timed_out);
              response->set_sequence(received.sequence);
              response->set_replayed(received.replayed);
            });
          }));
    });
    return base::Ok();
  });
}

}  // namespace socketeer::rpc
