#pragma once

#include "sandbox/connection.hpp"
#include "sandbox/http_server.hpp"

#include <queue>
#include <thread>

namespace sandbox {

/// One thread with its epoll, its connections and its timers. Everything but
/// `start` and `stop` runs on that thread.
class loop {
public:
  loop(int listener, const server_options& options, application& app);
  ~loop();
  loop(const loop&) = delete;
  loop& operator=(const loop&) = delete;

  void start();
  /// Ends the thread and drops its connections.
  void stop();

private:
  /// A connection's place, reused after it: `generation` tells visitors apart.
  struct slot {
    std::unique_ptr<connection> who;
    std::uint32_t generation = 0;
  };
  struct alarm {
    instant due;
    std::uint32_t index;
    std::uint32_t generation;
    friend bool operator>(const alarm& a, const alarm& b) { return a.due > b.due; }
  };

  void run();
  void accept_some();
  void ring_alarms();
  void after(std::uint32_t index, bool alive);
  int wait_ms() const;

  int listener_;
  const server_options& options_;
  application& app_;
  int epoll_;
  int stop_event_;
  std::vector<slot> slots_; ///< by file descriptor
  std::size_t open_ = 0;
  // Alarms are not taken back when a connection changes its mind; they are
  // checked when they ring.
  std::priority_queue<alarm, std::vector<alarm>, std::greater<>> alarms_;
  std::thread thread_;
};

} // namespace sandbox
