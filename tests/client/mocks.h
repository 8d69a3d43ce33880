// The generated mocks of the daemon's stubs. Only here: they have no include guards.
#pragma once

#include <gmock/gmock.h>
#include <grpcpp/test/mock_stream.h>

#include "grpc/health/v1/health_mock.grpc.pb.h"
#include "socketeer/stubs.h"
#include "socketeer/v1/host_service_mock.grpc.pb.h"
#include "socketeer/v1/session_service_mock.grpc.pb.h"
#include "socketeer/v1/socket_service_mock.grpc.pb.h"
