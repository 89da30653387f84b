#include "http/detail/client_pool.hpp"

#include "http/detail/client_open.hpp"

#include <algorithm>
#include <chrono>

namespace troupe::http::detail {

origin_pool::origin_pool(const origin& o, egress* by)
    : to(o), through(by), host_field(host_field_of(o)) {}

egress::egress(proxy_address a)
    : address(std::move(a)), at{address.kind == proxy_kind::https, address.host, address.port} {}

bool egress::unused() const {
  return std::all_of(origins.begin(), origins.end(),
                     [](const auto& entry) { return entry.second->connections == 0; });
}

client_pool::client_pool(event_loop& loop, client_options options, log_sink& log)
    : loop_(loop), options_(std::move(options)), log_(log), names_(loop.internals()) {
  if (options_.tally == nullptr)
    options_.tally = std::make_shared<client_tally>();
}

std::size_t origin_hash::operator()(const origin& o) const noexcept {
  return std::hash<std::string>{}(o.host) ^ std::hash<std::string>{}(o.unix_path)
         ^ (std::size_t{o.port} << 1) ^ std::size_t{o.tls};
}

result<const tls_context*> client_pool::tls() {
  if (tls_ == nullptr) {
    auto made = tls_context::make(options_.ca_file, options_.verify);
    if (!made)
      return made.error();
    tls_ = std::move(*made);
  }
  return tls_.get();
}

origin_pool& client_pool::of(const origin& to, origin_map& origins, egress* through) {
  if (const auto found = origins.find(to); found != origins.end())
    return *found->second;
  // Origins come from the configuration, so they are few; but it may change for years.
  if (origins.size() >= origins_max)
    std::erase_if(origins, [](const auto& entry) { return entry.second->connections == 0; });
  return *origins.emplace(to, std::make_unique<origin_pool>(to, through)).first->second;
}

result<origin_pool*> client_pool::of(const origin& to, std::string_view proxy) {
  if (!to.unix_path.empty())
    return failure(errc::invalid_argument, "no proxy leads to a socket file on this machine");
  auto found = egresses_.find(proxy);
  if (found == egresses_.end()) {
    auto address = parse_proxy(proxy);
    if (!address)
      return address.error();
    // There may be one for every key, all in use: then the next look is taken when there are
    // twice as many, so that it costs each of them little.
    if (egresses_.size() >= egresses_swept_at_) {
      std::erase_if(egresses_, [](const auto& entry) { return entry.second->unused(); });
      egresses_swept_at_ = std::max(egresses_max, 2 * egresses_.size());
    }
    found = egresses_.emplace(proxy, std::make_unique<egress>(std::move(*address))).first;
  }
  auto& through = *found->second;
  return &of(to, through.origins, &through);
}

std::shared_ptr<client_connection> client_pool::take(origin_pool& home) {
  if (home.idle.empty())
    return nullptr;
  auto latest = std::move(home.idle.back());
  home.idle.pop_back();
  options_.tally->connections_idle.subtract();
  return latest;
}

std::shared_ptr<client_connection> client_pool::make(origin_pool& home) {
  auto made = std::make_shared<client_connection>(loop_, shared_from_this(), home);
  made->input_bytes_max(std::max(options_.head_bytes_max, read_buffer::usual_bytes));
  return made;
}

void client_pool::give_back(std::shared_ptr<client_connection> connection) {
  auto& home = connection->home();
  const auto until = later(std::chrono::steady_clock::now(), options_.idle_timeout);
  const bool room = !stopped_ && home.idle.size() < options_.connections_idle_max;
  if (!room || !connection->rest(until)) {
    connection->close(ended_by::owner);
    return;
  }
  home.idle.push_back(std::move(connection));
  options_.tally->connections_idle.add();
}

void client_pool::drop(client_connection& connection) {
  auto& idle = connection.home().idle;
  const auto found = std::find_if(idle.begin(), idle.end(),
                                  [&](const auto& each) { return each.get() == &connection; });
  if (found == idle.end())
    return;
  const auto keep = std::move(*found);
  idle.erase(found);
  options_.tally->connections_idle.subtract();
  keep->close(ended_by::owner);
}

headers client_pool::take_fields() {
  if (spare_fields_.empty())
    return {};
  auto spare = std::move(spare_fields_.back());
  spare_fields_.pop_back();
  return spare;
}

void client_pool::give_fields(headers fields) {
  if (spare_fields_.size() >= spare_fields_max)
    return;
  fields.clear();
  spare_fields_.push_back(std::move(fields));
}

void client_pool::stop() {
  stopped_ = true;
  const auto close_idle = [this](const origin_map& origins) {
    for (const auto& [to, home] : origins)
      while (const auto connection = take(*home))
        connection->close(ended_by::owner);
  };
  close_idle(origins_);
  for (const auto& [address, way] : egresses_)
    close_idle(way->origins);
}

void client_pool::count_opened() {
  options_.tally->connections_made.add();
  options_.tally->connections_open.add();
}

} // namespace troupe::http::detail
