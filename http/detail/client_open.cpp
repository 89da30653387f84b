#include "http/detail/client_open.hpp"

#include "http/detail/unix_socket.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>

namespace troupe::http::detail {

namespace {

using std::chrono::steady_clock;

/// An address that does not answer gets its share of the time that is left, but enough to
/// answer over a slow line.
constexpr duration address_share_min = std::chrono::seconds{2};

void append_host(std::string& out, const origin& to) {
  const bool brackets = to.host.find(':') != std::string::npos;
  if (brackets)
    out += '[';
  out += to.host;
  if (brackets)
    out += ']';
}

void append_port(std::string& out, std::uint16_t port) {
  char digits[8];
  const auto end = std::to_chars(digits, digits + sizeof digits, port).ptr;
  out += ':';
  out.append(digits, end);
}

failure cannot_connect(const origin& to, const boost::system::error_code& error) {
  return {errc::connect_failed, "cannot connect to " + with_port(to) + ": " + error.message()};
}

task<result<void>> find_addresses(client_connection& c, client_pool& pool, const origin& to) {
  if (c.ended() == ended_by::nobody)
    c.look_up(pool.names(), to.host);
  while (c.looking_up())
    co_await c.event();
  if (c.ended() != ended_by::nobody)
    co_return failure_of(c.ended(), to);
  if (c.addresses() == nullptr || c.addresses()->empty()) {
    const auto& error = c.error();
    co_return failure(errc::connect_failed,
                      "cannot find the address of " + to.host + ": "
                          + (error ? error.message() : std::string{"it has none"}));
  }
  co_return result<void>();
}

task<result<void>> connect_to_any(client_connection& c, client_pool& pool, const origin& to,
                                  time_point until) {
  // Held here: the pool may forget the name meanwhile.
  const auto addresses = c.addresses();
  for (std::size_t i = 0; i < addresses->size(); ++i) {
    const auto now = steady_clock::now();
    const auto others = static_cast<std::int64_t>(addresses->size() - i - 1);
    if (others == 0)
      c.limit(ended_by::connect_limit, until);
    else
      c.limit(ended_by::address_limit,
              std::min(until, now + std::max((until - now) / (others + 1), address_share_min)));
    const boost::asio::ip::tcp::endpoint endpoint{(*addresses)[i], to.port};
    c.connect(endpoint.data(), static_cast<socklen_t>(endpoint.size()));
    while (c.connecting())
      co_await c.event();
    if (c.ended() != ended_by::nobody)
      co_return failure_of(c.ended(), to);
    if (!c.error())
      co_return result<void>();
  }
  pool.names().forget(to.host);
  co_return cannot_connect(to, c.error());
}

task<result<void>> connect_to_path(client_connection& c, const origin& to) {
  const auto address = unix_address::of(to.unix_path);
  if (!address)
    co_return failure(errc::connect_failed, address.error().text);
  c.connect(address->data(), address->size());
  while (c.connecting())
    co_await c.event();
  if (c.ended() != ended_by::nobody)
    co_return failure_of(c.ended(), to);
  if (c.error())
    co_return cannot_connect(to, c.error());
  co_return result<void>();
}

task<result<void>> shake_hands(client_connection& c, client_pool& pool, const origin& to) {
  const auto context = pool.tls();
  if (!context)
    co_return context.error();
  c.shake_hands(**context, to.host, c.home().sessions);
  while (c.shaking_hands() && c.ended() == ended_by::nobody)
    co_await c.event();
  if (c.ended() != ended_by::nobody)
    co_return failure_of(c.ended(), to);
  if (!c.tls_problem().empty())
    co_return failure(errc::tls_failed, "TLS with " + with_port(to) + ": " + c.tls_problem());
  if (c.input_ended() != input_end::none)
    co_return failure(errc::tls_failed, "TLS with " + with_port(to)
                                            + ": the connection was closed during the handshake");
  co_return result<void>();
}

} // namespace

std::string with_port(const origin& to) {
  if (!to.unix_path.empty())
    return to.unix_path;
  std::string out;
  append_host(out, to);
  append_port(out, to.port);
  return out;
}

std::string host_field_of(const origin& to) {
  if (!to.unix_path.empty())
    return "localhost";
  std::string out;
  append_host(out, to);
  if (to.port != (to.tls ? 443 : 80))
    append_port(out, to.port);
  return out;
}

failure failure_of(ended_by why, const origin& to) {
  switch (why) {
  case ended_by::cancel:
    return {errc::cancelled, "cancelled"};
  case ended_by::address_limit:
  case ended_by::connect_limit:
    return {errc::upstream_timeout, "no connection to " + with_port(to) + " in time"};
  case ended_by::first_byte_limit:
    return {errc::upstream_timeout, "no answer from " + with_port(to) + " in time"};
  case ended_by::silence_limit:
    return {errc::upstream_timeout, with_port(to) + " fell silent"};
  case ended_by::total_limit:
    return {errc::upstream_timeout, "the call to " + with_port(to) + " took too long"};
  case ended_by::nobody:
  case ended_by::owner:
  case ended_by::idle_limit:
    break;
  }
  return {errc::upstream_broken, with_port(to) + " closed the connection"};
}

task<result<void>> open_connection(client_connection& c, client_pool& pool, const origin& to,
                                   duration connect_limit) {
  const auto until = later(steady_clock::now(), connect_limit);
  c.limit(ended_by::connect_limit, until);
  if (!to.unix_path.empty()) {
    auto reached = co_await connect_to_path(c, to);
    if (reached)
      c.opened();
    co_return reached;
  }
  auto found = co_await find_addresses(c, pool, to);
  if (!found)
    co_return found;
  auto connected = co_await connect_to_any(c, pool, to, until);
  if (!connected)
    co_return connected;
  if (to.tls) {
    c.limit(ended_by::connect_limit, until);
    auto shaken = co_await shake_hands(c, pool, to);
    if (!shaken)
      co_return shaken;
  }
  c.opened();
  co_return result<void>();
}

} // namespace troupe::http::detail
