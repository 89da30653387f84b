#pragma once

#include "http/client.hpp"
#include "http/core/proxy_address.hpp"
#include "http/detail/client_connection.hpp"
#include "http/detail/client_resolver.hpp"
#include "http/detail/client_tls.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace troupe::http::detail {

struct egress;

/// What is kept for one origin, reached in one way.
struct origin_pool {
  origin_pool(const origin& o, egress* by);

  const origin to;
  egress* const through;                                ///< none: directly
  const std::string host_field;                         ///< the value of `host` in requests
  std::vector<std::shared_ptr<client_connection>> idle; ///< the latest used last
  tls_sessions sessions;
  std::size_t connections = 0; ///< all that refer to this
};

struct origin_hash {
  std::size_t operator()(const origin& o) const noexcept;
};

using origin_map = std::unordered_map<origin, std::unique_ptr<origin_pool>, origin_hash>;

/// One outgoing proxy, and what is reached through it.
struct egress {
  explicit egress(proxy_address a);

  /// No connection refers to it.
  bool unused() const;

  const proxy_address address;
  const origin at; ///< the proxy itself, as if it were an upstream
  tls_sessions sessions;
  origin_map origins;
};

/// The idle connections of one client and what all its connections share. Kept alive by the
/// client and by every connection, as one may outlive the client until its last operation
/// has ended. Loop's thread.
class client_pool : public std::enable_shared_from_this<client_pool> {
public:
  static constexpr std::size_t origins_max = 1'024;
  static constexpr std::size_t egresses_max = 1'024; ///< so many unused ones are kept
  static constexpr std::size_t spare_fields_max = 64;

  client_pool(event_loop& loop, client_options options, log_sink& log);

  const client_options& options() const { return options_; }
  resolver& names() { return names_; }
  log_sink& log() const { return log_; }

  /// Made when first needed: reading the system's certificates takes milliseconds.
  result<const tls_context*> tls();

  origin_pool& of(const origin& to) { return of(to, origins_, nullptr); }

  /// By way of the proxy with this address. Fails with `invalid_argument`.
  result<origin_pool*> of(const origin& to, std::string_view proxy);

  /// The connection that rested least, or nothing.
  std::shared_ptr<client_connection> take(origin_pool& home);

  std::shared_ptr<client_connection> make(origin_pool& home);

  /// After an answer that ended well. Closes it if it may not rest.
  void give_back(std::shared_ptr<client_connection> connection);

  /// An idle connection ends.
  void drop(client_connection& connection);

  /// Memory for the fields of one answer after another.
  headers take_fields();
  void give_fields(headers fields);

  void stop();
  bool stopped() const { return stopped_; }

  void count_opened();
  void count_closed() { options_.tally->connections_open.subtract(); }
  client_tally& tally() { return *options_.tally; }

private:
  struct text_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };

  static origin_pool& of(const origin& to, origin_map& origins, egress* through);

  event_loop& loop_;
  client_options options_;
  log_sink& log_;
  resolver names_;
  std::unique_ptr<tls_context> tls_;
  origin_map origins_;
  /// By the proxies' addresses as they are given.
  std::unordered_map<std::string, std::unique_ptr<egress>, text_hash, std::equal_to<>> egresses_;
  std::size_t egresses_swept_at_ = egresses_max;
  std::vector<headers> spare_fields_;
  bool stopped_ = false;
};

} // namespace troupe::http::detail
