#include "actors/node_admin.hpp"

#include "actors/node_parts.hpp"

#include <utility>

namespace troupe {

std::string admin_socket_of(const std::string& data_dir) {
  return data_dir + "/admin.sock";
}

admin_doors::admin_doors(const admin_parts& parts) : remote_(std::make_unique<admin_front>(parts)) {
  auto trusting = parts;
  trusting.local_trust = true;
  local_ = std::make_unique<admin_front>(std::move(trusting));
}

result<void> admin_doors::listen(const settings& s, http::event_loop& loop, log_sink& log) {
  auto options = admin_server_options(s);
  options.unix_path = admin_socket_of(s.data_dir);
  auto on_socket = http::server::start(std::move(options), log, {&loop}, {local_.get()});
  if (on_socket) {
    on_socket_ = *std::move(on_socket);
  } else {
    problem_ = "commands on this machine need --admin and a credential: " + on_socket.error().text;
    log.write(log_area::http, log_level::warning, {}, problem_);
  }
  auto on_port = http::server::start(admin_server_options(s), log, {&loop}, {remote_.get()});
  if (!on_port)
    return failure{on_port.error().code, "admin port: " + on_port.error().text};
  on_port_ = *std::move(on_port);
  return {};
}

void admin_doors::replace(const std::shared_ptr<const admin_access>& access) {
  remote_->replace(access);
}

void admin_doors::end_work() {
  remote_->stop();
  local_->stop();
}

void admin_doors::close() {
  if (on_port_)
    on_port_->stop();
  if (on_socket_)
    on_socket_->stop();
  on_socket_.reset();
  on_port_.reset();
}

} // namespace troupe
