#pragma once

#include "http/client.hpp"
#include "http/detail/client_connection.hpp"
#include "http/detail/client_pool.hpp"
#include "http/task.hpp"
#include "protocol/base/result.hpp"

#include <string>

namespace troupe::http::detail {

/// Opens `connection` to `to`: name, TCP with every address in turn, a proxy's leave if its home
/// is reached through one, TLS; or a socket file; within `connect_limit` together. Arguments live
/// until the task ends.
task<result<void>> open_connection(client_connection& connection, client_pool& pool,
                                   const origin& to, duration connect_limit);

/// `host:port`, or the path of a socket file, for messages.
std::string with_port(const origin& to);

/// For the field `host`: the port only if it is not the usual one; `localhost` for a file.
std::string host_field_of(const origin& to);

/// What the end of a connection means for the call that used it.
failure failure_of(ended_by why, const origin& to);

} // namespace troupe::http::detail
