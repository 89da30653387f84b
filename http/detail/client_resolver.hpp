#pragma once

#include "http/detail/loop_impl.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace troupe::http::detail {

using address_list = std::vector<boost::asio::ip::address>;

/// Who waits for the addresses of a host.
class lookup_waiter {
public:
  virtual ~lookup_waiter() = default;

  /// No addresses: the name is not known or could not be asked for.
  virtual void looked_up(const boost::system::error_code& error,
                         std::shared_ptr<const address_list> addresses) = 0;
};

/// Turns host names into addresses and remembers them for a while. The asking happens on a
/// thread of Asio's, one name after another; who waits for the same name shares one
/// question. Loop's thread.
class resolver {
public:
  static constexpr duration remembered_for = std::chrono::seconds{30};
  static constexpr std::size_t names_max = 1'024;

  explicit resolver(event_loop::impl& loop) : loop_(loop) {}
  resolver(const resolver&) = delete;
  resolver& operator=(const resolver&) = delete;

  /// At once, for addresses and for names that were asked for lately. Otherwise nothing.
  std::shared_ptr<const address_list> known(const std::string& host, time_point now);

  /// One question on its way; kept alive by the operation and by nothing else.
  class lookup;

  /// Calls `waiter` once, later, unless `leave` comes first. Keeps it alive until then.
  std::shared_ptr<lookup> ask(const std::string& host, std::shared_ptr<lookup_waiter> waiter);
  static void leave(lookup& question, const lookup_waiter& waiter);

  /// None of its addresses answered: the next call asks anew.
  void forget(const std::string& host) { names_.erase(host); }

private:
  struct name {
    std::shared_ptr<const address_list> addresses;
    time_point until;
  };

  void remember(const std::string& host, std::shared_ptr<const address_list> addresses,
                time_point now);

  event_loop::impl& loop_;
  std::unordered_map<std::string, name> names_;
  std::unordered_map<std::string, std::weak_ptr<lookup>> questions_;
  /// Operations outlive the client that asked; they look here whether it still exists.
  std::shared_ptr<resolver*> self_ = std::make_shared<resolver*>(this);
};

} // namespace troupe::http::detail
