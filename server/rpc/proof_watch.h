// Calls under way whose caller's proof may end: they end with it.
//
// A call that was told so ends by itself, with its reason in the status. But its caller may hold that up: a message
// that waits for HTTP/2's window goes before the status, and the window is the caller's to give. So a call that is
// still there a while later is cut off, which waits for nobody.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "server/base/clock.h"
#include "server/base/error.h"
#include "server/rpc/cancellation.h"
#include "server/rpc/client_cas.h"
#include "server/rpc/token_file.h"

namespace socketeer::rpc {

// How long a call may take to end by itself.
inline constexpr std::chrono::seconds kEndingLimit{1};

// What a caller's identity rests on.
struct Basis {
  std::string identity{};
  std::optional<base::WallTime> expires{};  // of the certificate that the connection was made with
  std::optional<TokenHash> token{};
  ShownCertificatePtr certificate{};  // of the connection; null: it has none

  bool may_end() const { return token || certificate; }
};
using BasisPtr = std::shared_ptr<const Basis>;

// Thread-safe.
class ProofWatch {
 public:
  // Makes a call stay where it is, so that it can be cut off later, by what it returns; on any thread, with no lock
  // held. It is asked for that at any time until Remove().
  using Cut = std::function<void()>;
  using Keep = std::function<Cut()>;

  // The clock must outlive this.
  explicit ProofWatch(const base::Clock& clock) : clock_(clock) {}

  void Add(uint64_t call, BasisPtr basis, std::shared_ptr<Cancellation> cancellation, Keep keep);
  // No effect when it is not there.
  void Remove(uint64_t call);
  // Tells those to end of whose basis `why` says so; each once.
  void End(const std::function<std::optional<base::Error>(const Basis&)>& why);
  // Those that were told kEndingLimit ago, and are still there.
  void CutOff();

 private:
  struct Watched {
    BasisPtr basis;
    std::shared_ptr<Cancellation> cancellation;
    Keep keep;
    std::optional<base::MonotonicTime> told{};
  };

  void Tell(uint64_t call, base::Error why, base::MonotonicTime now);

  const base::Clock& clock_;
  std::mutex mutex_;
  std::unordered_map<uint64_t, Watched> watched_;  // guarded by mutex_
};

}  // namespace socketeer::rpc
