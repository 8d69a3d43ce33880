// One question, when its far end is open. Private to the library.
#pragma once

#include "client/probe/probe.h"

namespace socketeer::probe {

// `far`: null: there is none. An error: it was cancelled.
absl::StatusOr<Answer> AskTcp(const Question& question, const Host& host, FarEnd* far, Cancellation* cancellation);
absl::StatusOr<Answer> AskUdp(const Question& question, const Host& host, FarEnd* far, Cancellation* cancellation);

// The answer that an error is. `far_listens`: it came while there was a far end.
Answer AnswerOf(const absl::Status& error, const std::string& at, bool far_listens);

// When the token arrived, or the far end broke, or nothing of both: what is known of a question that got no reply.
Answer WithoutReply(const Question& question, const FarEnd& far, const std::string& token, Reason otherwise,
                    const std::string& detail);

// "5s".
std::string Within(absl::Duration timeout);

}  // namespace socketeer::probe
