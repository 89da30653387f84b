#include "http/detail/server_part.hpp"

#include "http/core/answer_text.hpp"
#include "http/detail/connection.hpp"

#include <unistd.h>

#include <chrono>
#include <random>
#include <utility>

namespace troupe::http::detail {

void server_shared::connection_opened() {
  const std::lock_guard lock{mutex};
  open.fetch_add(1);
}

void server_shared::connection_closed() {
  const std::lock_guard lock{mutex};
  open.fetch_sub(1);
  changed.notify_all();
}

void server_shared::listener_ended() {
  const std::lock_guard lock{mutex};
  listening = false;
  changed.notify_all();
}

server_part::server_part(std::shared_ptr<server_shared> shared, event_loop& loop,
                         server_handler& handler)
    : shared_(std::move(shared)), loop_(loop), handler_(handler) {
  std::random_device random;
  next_id_ = (std::uint64_t{random()} << 32) | random();
}

void server_part::adopt(int socket, std::string peer, bool over_limit) {
  std::unique_ptr<tls_session> tls;
  if (shared_->tls) {
    tls = shared_->tls->accept(socket);
    if (!tls) {
      ::close(socket);
      shared_->connection_closed();
      return;
    }
  }
  auto owned =
      std::make_unique<connection>(*this, socket, std::move(tls), std::move(peer), over_limit);
  owned->place = connections_.size();
  connections_.push_back(owned.get());
  owned.release()->begin(); // `remove` takes it back
}

void server_part::drain() {
  draining_ = true;
  for (auto* c : connections_)
    c->drain();
}

void server_part::stop() {
  draining_ = true;
  // Stopping one may end it, and so change the list, on this very stack.
  const auto all = connections_;
  for (auto* c : all)
    c->stop();
}

void server_part::remove(connection& c) {
  connections_[c.place] = connections_.back();
  connections_[c.place]->place = c.place;
  connections_.pop_back();
  loop_.post(&server_part::destroy, &c);
}

void server_part::destroy(void* c) {
  std::unique_ptr<connection> owned{static_cast<connection*>(c)};
  const auto shared = owned->part().shared_;
  owned.reset();
  shared->connection_closed();
}

std::string_view server_part::common_fields() {
  const auto now = std::chrono::system_clock::now();
  const auto second = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  if (second != common_fields_second_) {
    common_fields_second_ = second;
    const auto date = http_date(std::chrono::floor<std::chrono::milliseconds>(now));
    common_fields_.assign("date: ");
    common_fields_.append(date.data(), date.size());
    common_fields_.append("\r\nx-request-id: ");
  }
  return common_fields_;
}

std::array<char, server_part::id_bytes> server_part::next_request_id() {
  constexpr std::string_view digits = "0123456789abcdef";
  std::array<char, id_bytes> id{'r', 'e', 'q', '_'};
  auto rest = next_id_++;
  for (auto i = id.size(); i > 4; --i, rest >>= 4)
    id[i - 1] = digits[rest & 15];
  return id;
}

} // namespace troupe::http::detail
