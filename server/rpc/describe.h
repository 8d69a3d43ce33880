// What calls asked for, and what became of it, in the words of the audit.
#pragma once

#include <string>

#include "server/audit/event.h"
#include "server/base/error.h"
#include "server/registry/record.h"
#include "server/registry/session.h"
#include "server/rpc/identities.h"
#include "socketeer/v1/endpoint.pb.h"
#include "socketeer/v1/session_service.pb.h"
#include "socketeer/v1/socket_service.pb.h"

namespace socketeer::rpc {

// As people write it, whether it is valid or not: "localhost:80", "[::1]:80", "/run/x.sock", "@name".
std::string TextOf(const v1::Endpoint& endpoint);

// result, origin, errno and what else says why; "OK" without an error.
void Describe(const base::Error* error, audit::Event* event);
void Describe(const Caller& caller, audit::Event* event);
// Its name and addresses.
void Describe(const v1::Socket& socket, audit::Event* event);
void Describe(const registry::View& socket, audit::Event* event);
// The same, and what went through it.
void DescribeClosed(const registry::View& socket, audit::Event* event);

// A request and, if it succeeded, what it was answered.
void Describe(const v1::OpenSocketRequest& request, const v1::OpenSocketResponse& response, audit::Event* event);
void Describe(const v1::BindSocketRequest& request, const v1::Socket& response, audit::Event* event);
void Describe(const v1::ConnectSocketRequest& request, const v1::ConnectSocketResponse& response, audit::Event* event);
void Describe(const v1::ListenSocketRequest& request, const v1::Socket& response, audit::Event* event);
void Describe(const v1::AcceptSocketRequest& request, const v1::AcceptSocketResponse& response, audit::Event* event);
void Describe(const v1::TransferSocketRequest& request, const v1::Socket& response, audit::Event* event);
void Describe(const v1::ShareSocketRequest& request, const v1::Socket& response, audit::Event* event);
void Describe(const v1::UnshareSocketRequest& request, const v1::Socket& response, audit::Event* event);
void Describe(const v1::CreateSessionRequest& request, const v1::Session& response, audit::Event* event);

}  // namespace socketeer::rpc
