#include "http/detail/client_open.hpp"

#include "http/core/host_port.hpp"
#include "http/detail/client_proxy.hpp"
#include "http/detail/unix_socket.hpp"

#include <algorithm>
#include <chrono>

namespace troupe::http::detail {

namespace {

using std::chrono::steady_clock;

/// An address that does not answer gets its share of the time that is left, but enough to
/// answer over a slow line.
constexpr duration address_share_min = std::chrono::seconds{2};

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

/// Name and TCP. Afterwards the connect limit is set.
task<result<void>> reach(client_connection& c, client_pool& pool, const origin& to,
                         time_point until) {
  auto found = co_await find_addresses(c, pool, to);
  if (!found)
    co_return found;
  auto connected = co_await connect_to_any(c, pool, to, until);
  if (connected)
    c.limit(ended_by::connect_limit, until);
  co_return connected;
}

task<result<void>> shake_hands(client_connection& c, const tls_context& context, const origin& to,
                               tls_sessions& sessions) {
  c.shake_hands(context, to.host, sessions);
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

/// What keeps us from a proxy is its failure, unless somebody here gave up the whole call.
failure proxy_fault(const client_connection& c, const origin& to, const failure& what) {
  if (c.ended() == ended_by::cancel || c.ended() == ended_by::total_limit)
    return failure_of(c.ended(), to);
  return {errc::proxy_failed, "the proxy cannot be used: " + what.text};
}

task<result<void>> open_through(client_connection& c, client_pool& pool, egress& way,
                                const origin& to, time_point until) {
  // As SOCKS names an address, there is one: the first, which the system thinks best.
  std::string host = to.host;
  if (way.address.kind == proxy_kind::socks5) {
    auto found = co_await find_addresses(c, pool, to);
    if (!found)
      co_return found;
    host = c.addresses()->front().to_string();
  }
  auto reached = co_await reach(c, pool, way.at, until);
  if (!reached)
    co_return proxy_fault(c, to, reached.error());
  if (way.at.tls) {
    const auto context = pool.tls();
    if (!context)
      co_return context.error(); // ours, not the proxy's
    auto shaken = co_await shake_hands(c, **context, way.at, way.sessions);
    if (!shaken)
      co_return proxy_fault(c, to, shaken.error());
  }
  const proxy_question question(way.address, to, host, until);
  co_return co_await ask_proxy(c, question);
}

} // namespace

std::string with_port(const origin& to) {
  if (!to.unix_path.empty())
    return to.unix_path;
  return join_host_port(to.host, to.port);
}

std::string host_field_of(const origin& to) {
  if (!to.unix_path.empty())
    return "localhost";
  return to.port == (to.tls ? 443 : 80) ? bracketed(to.host) : join_host_port(to.host, to.port);
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
  if (auto* way = c.home().through) {
    auto led = co_await open_through(c, pool, *way, to, until);
    if (!led)
      co_return led;
  } else {
    auto reached = co_await reach(c, pool, to, until);
    if (!reached)
      co_return reached;
  }
  if (to.tls) {
    const auto context = pool.tls();
    if (!context)
      co_return context.error();
    auto shaken = co_await shake_hands(c, **context, to, c.home().sessions);
    if (!shaken)
      co_return shaken;
  }
  c.opened();
  co_return result<void>();
}

} // namespace troupe::http::detail
