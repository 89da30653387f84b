#pragma once

#include "http/client.hpp"
#include "http/core/proxy_address.hpp"
#include "http/detail/client_connection.hpp"
#include "http/task.hpp"

#include <string>

namespace troupe::http::detail {

/// What a proxy is asked for, and until when.
struct proxy_question {
  proxy_question(const proxy_address& p, const origin& o, const std::string& h, time_point u)
      : proxy(p), to(o), host(h), until(u) {}

  const proxy_address& proxy;
  const origin& to;
  const std::string& host; ///< of the upstream, as the proxy is told
  time_point until;
};

/// Asks the proxy that `connection` is connected to for a way to the upstream; afterwards its
/// bytes are the upstream's. The proxy is not trusted: what it says is bounded, and a byte more
/// than its answer is a failure, as it could pass for the upstream's. Fails with `proxy_failed`,
/// or as the call ended. Arguments live until the task ends.
task<result<void>> ask_proxy(client_connection& connection, const proxy_question& question);

} // namespace troupe::http::detail
