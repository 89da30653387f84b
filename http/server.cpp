#include "http/server.hpp"

#include "http/detail/listener.hpp"
#include "http/detail/server_part.hpp"
#include "http/detail/unix_socket.hpp"

#include <unistd.h>

#include <utility>

namespace troupe::http {

namespace {

class socket_server final : public server {
public:
  socket_server(std::shared_ptr<detail::server_shared> shared,
                std::vector<std::shared_ptr<detail::server_part>> parts, detail::bound_socket bound)
      : shared_(std::move(shared)),
        parts_(std::move(parts)),
        port_(bound.port),
        listener_(std::make_shared<detail::listener>(shared_, parts_, std::move(bound))) {
    parts_.front()->loop().post([l = listener_] { l->begin(); });
  }

  ~socket_server() override { stop(); }

  std::uint16_t port() const override { return port_; }

  server_counters counters() const override {
    server_counters c;
    c.connections_accepted = shared_->accepted.load();
    c.connections_open = shared_->open.load();
    c.connections_refused = shared_->refused.load();
    for (const auto& part : parts_) {
      c.requests += part->requests();
      c.requests_refused += part->requests_refused();
    }
    return c;
  }

  void drain() override {
    // The listener first: what it has dealt by then comes to the parts before their drain.
    parts_.front()->loop().post([l = listener_, parts = parts_] {
      l->close();
      for (const auto& part : parts)
        part->loop().post([part] { part->drain(); });
    });
  }

  bool wait_drained(duration limit) override {
    std::unique_lock lock{shared_->mutex};
    return shared_->changed.wait_for(lock, limit, [this] { return ended(); });
  }

  void stop() override {
    parts_.front()->loop().post([l = listener_, parts = parts_] {
      l->close();
      for (const auto& part : parts)
        part->loop().post([part] { part->stop(); });
    });
    std::unique_lock lock{shared_->mutex};
    shared_->changed.wait(lock, [this] { return ended(); });
  }

private:
  bool ended() const { return !shared_->listening && shared_->open.load() == 0; }

  std::shared_ptr<detail::server_shared> shared_;
  std::vector<std::shared_ptr<detail::server_part>> parts_;
  std::uint16_t port_;
  std::shared_ptr<detail::listener> listener_;
};

result<detail::bound_socket> bind(const server_options& options) {
  if (options.unix_path.empty())
    return detail::bind_and_listen(options.address, options.port);
  auto listening = detail::listen_on_path(options.unix_path);
  if (!listening)
    return listening.error();
  return detail::bound_socket{listening->socket, std::move(listening->file)};
}

} // namespace

result<std::unique_ptr<server>> server::start(server_options options, log_sink& log,
                                              std::vector<event_loop*> loops,
                                              std::vector<server_handler*> handlers) {
  TROUPE_ASSERT(!loops.empty());
  TROUPE_ASSERT(loops.size() == handlers.size());
  std::unique_ptr<detail::tls_server> tls;
  if (options.tls && options.unix_path.empty()) {
    auto loaded =
        detail::tls_server::load(options.tls->certificate_chain, options.tls->private_key);
    if (!loaded)
      return loaded.error();
    tls = std::move(*loaded);
  }
  auto bound = bind(options);
  if (!bound)
    return bound.error();
  const auto shared =
      std::make_shared<detail::server_shared>(std::move(options), log, std::move(tls));
  std::vector<std::shared_ptr<detail::server_part>> parts;
  for (std::size_t i = 0; i < loops.size(); ++i)
    parts.push_back(std::make_shared<detail::server_part>(shared, *loops[i], *handlers[i]));
  return std::unique_ptr<server>{
      std::make_unique<socket_server>(shared, std::move(parts), *std::move(bound))};
}

} // namespace troupe::http
