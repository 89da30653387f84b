#include "http/detail/client_pool.hpp"

#include "http/detail/client_open.hpp"

#include <algorithm>
#include <chrono>
#include <functional>

namespace troupe::http::detail {

origin_pool::origin_pool(const origin& o) : to(o), host_field(host_field_of(o)) {}

client_pool::client_pool(event_loop& loop, client_options options, log_sink& log)
    : loop_(loop), options_(std::move(options)), log_(log), names_(loop.internals()) {
  if (options_.tally == nullptr)
    options_.tally = std::make_shared<client_tally>();
}

std::size_t client_pool::hash::operator()(const origin& o) const noexcept {
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

origin_pool& client_pool::of(const origin& to) {
  if (const auto found = origins_.find(to); found != origins_.end())
    return *found->second;
  // Origins come from the configuration, so they are few; but it may change for years.
  if (origins_.size() >= origins_max)
    std::erase_if(origins_, [](const auto& entry) { return entry.second->connections == 0; });
  return *origins_.emplace(to, std::make_unique<origin_pool>(to)).first->second;
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
  for (auto& [to, home] : origins_)
    while (const auto connection = take(*home))
      connection->close(ended_by::owner);
}

void client_pool::count_opened() {
  options_.tally->connections_made.add();
  options_.tally->connections_open.add();
}

} // namespace troupe::http::detail
