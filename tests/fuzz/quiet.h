// For targets whose input is Protobuf's: what it has to say of each that is malformed would bury what was found.
#pragma once

#include <google/protobuf/stubs/logging.h>

inline google::protobuf::LogHandler* const silenced = google::protobuf::SetLogHandler(nullptr);
