#pragma once

#include "http/event_loop.hpp"
#include "http/task.hpp"
#include "protocol/base/log.hpp"

#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace troupe {

template <class T>
http::task<void> keep_value(http::task<T> work, std::shared_ptr<std::promise<T>> out) {
  if constexpr (std::is_void_v<T>) {
    co_await work;
    out->set_value();
  } else {
    T value = co_await work;
    out->set_value(std::move(value));
  }
}

/// Begins `work` on `loop`; its value comes by the future. Any thread.
template <class T>
std::future<T> begin_on(http::event_loop& loop, http::task<T> work) {
  auto out = std::make_shared<std::promise<T>>();
  auto ready = out->get_future();
  auto held = std::make_shared<http::task<void>>(keep_value(std::move(work), std::move(out)));
  loop.post(std::function<void()>([held] { http::spawn(std::move(*held)); }));
  return ready;
}

/// Runs `work` on `loop` and waits for its value. Not on the loop's thread.
template <class T>
T on_loop(http::event_loop& loop, http::task<T> work) {
  return begin_on(loop, std::move(work)).get();
}

/// Calls `f` on `loop` and waits for its end. Not on the loop's thread.
inline void call_on(http::event_loop& loop, const std::function<void()>& f) {
  std::promise<void> ended;
  loop.post(std::function<void()>([&] {
    f();
    ended.set_value();
  }));
  ended.get_future().wait();
}

/// Keeps every line.
class collected_log final : public log_sink {
public:
  bool wants(log_area, log_level) const override { return true; }

  void write(log_area, log_level, std::string_view, std::string_view text) override {
    const std::lock_guard guard{mutex_};
    lines_.emplace_back(text);
  }

  std::vector<std::string> lines() const {
    const std::lock_guard guard{mutex_};
    return lines_;
  }

private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

} // namespace troupe
