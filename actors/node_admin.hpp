#pragma once

#include "actors/admin/admin_front.hpp"
#include "http/server.hpp"
#include "protocol/config/settings.hpp"

#include <memory>
#include <string>
#include <vector>

namespace troupe {

/// The two ways into the admin side: the admin port, for who has a credential, and a socket in the
/// data directory, for who may open that. Built and ended by the node's thread.
class admin_doors {
public:
  /// `parts` is for the port; the socket gets the same, with trust.
  explicit admin_doors(const admin_parts& parts);

  /// Both on `loop`. A socket that cannot be made is a warning: the port is there all the same.
  result<void> listen(const settings& s, http::event_loop& loop, log_sink& log);

  std::uint16_t port() const { return on_port_->port(); }
  /// Why there is no socket; empty: there is one.
  const std::string& problem() const { return problem_; }

  /// On the loop.
  void replace(const std::shared_ptr<const admin_access>& access);
  /// On the loop, before the bridge stops.
  void end_work();
  /// Cuts what runs. On the node's thread.
  void close();

private:
  std::unique_ptr<admin_front> remote_;
  std::unique_ptr<admin_front> local_;
  std::unique_ptr<http::server> on_port_;
  std::string problem_;
  std::unique_ptr<http::server> on_socket_; ///< none: it could not be made
};

/// Where the node's own socket is.
std::string admin_socket_of(const std::string& data_dir);

} // namespace troupe
