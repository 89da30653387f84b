#pragma once

#include "http/server.hpp"
#include "protocol/base/log.hpp"

#include <atomic>
#include <coroutine>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace troupe {

class no_log final : public log_sink {
public:
  bool wants(log_area, log_level) const override { return false; }
  void write(log_area, log_level, std::string_view, std::string_view) override {}
};

/// An upstream on a port and a loop of its own. It speaks Gemini, names itself in every answer,
/// and ends a stream only when the test lets it.
class scripted_upstream final : public http::server_handler {
public:
  explicit scripted_upstream(std::string name, std::vector<std::string> models = {});
  ~scripted_upstream() override;
  scripted_upstream(const scripted_upstream&) = delete;
  scripted_upstream& operator=(const scripted_upstream&) = delete;

  std::uint16_t port() const { return server_->port(); }
  std::uint64_t requests() const { return server_->counters().requests; }

  /// Streams that wait for their last event get it; any thread.
  void end_streams();

  http::task<void> serve(http::exchange& x) override;
  std::pair<http::response_head, std::string> refuse(const http::refusal& r) override;

private:
  struct hold {
    scripted_upstream& owner;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiting) { owner.held_.push_back(waiting); }
    void await_resume() const noexcept {}
  };

  http::task<void> stream(http::exchange& x);
  std::string event(bool last) const;

  const std::string name_;
  const std::vector<std::string> models_;
  no_log log_;
  std::vector<std::coroutine_handle<>> held_; ///< on the loop
  http::event_loop loop_;
  std::thread thread_;
  std::unique_ptr<http::server> server_;
};

} // namespace troupe
