#include "actors/scheduling.hpp"

#include "actors/error.hpp"
#include "actors/scheduler/asio_coordinator.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <string>
#include <system_error>
#include <thread>

namespace troupe {

namespace {

constexpr std::size_t loops_max = 256;

std::string render_errc(std::uint8_t code, caf::atom_value, const caf::message& context) {
  std::string text{to_string(static_cast<errc>(code))};
  if (context.match_elements<std::string>())
    text += ": " + context.get_as<std::string>(0);
  return text;
}

void prepare_config(caf::actor_system_config& config, scheduler_kind kind, std::size_t loops,
                    const runtime::configure& prepare) {
  config.set("scheduler.max-threads", loops);
  config.add_error_category(errc_category, &render_errc);
  switch (kind) {
  case scheduler_kind::asio:
    config.load<asio_coordinator>();
    break;
  case scheduler_kind::sharing:
    config.set("scheduler.policy", caf::atom("sharing"));
    break;
  }
  if (prepare)
    prepare(config);
}

class asio_runtime final : public runtime {
public:
  asio_runtime(std::size_t loops, const configure& prepare) {
    prepare_config(config_, scheduler_kind::asio, loops, prepare);
    system_ = std::make_unique<caf::actor_system>(config_);
  }

  ~asio_runtime() override { stop(); }

  scheduler_kind kind() const override { return scheduler_kind::asio; }
  caf::actor_system& system() override { return *system_; }

  std::vector<http::event_loop*> loops() override {
    std::vector<http::event_loop*> all;
    auto* coordinator = asio_coordinator::of(*system_);
    for (std::size_t i = 0; i < coordinator->size(); ++i)
      all.push_back(&coordinator->loop(i));
    return all;
  }

  void stop() override { system_.reset(); }

private:
  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
};

/// A loop on a plain thread.
class loop_thread {
public:
  loop_thread() : thread_([this] { loop_.run(); }) {}

  ~loop_thread() {
    loop_.stop();
    thread_.join();
    loop_.drop_handlers();
  }

  http::event_loop& loop() { return loop_; }

private:
  http::event_loop loop_;
  std::thread thread_;
};

class sharing_runtime final : public runtime {
public:
  sharing_runtime(std::size_t loops, const configure& prepare) {
    prepare_config(config_, scheduler_kind::sharing, loops, prepare);
    for (std::size_t i = 0; i < loops; ++i)
      threads_.push_back(std::make_unique<loop_thread>());
    system_ = std::make_unique<caf::actor_system>(config_);
  }

  ~sharing_runtime() override { stop(); }

  scheduler_kind kind() const override { return scheduler_kind::sharing; }
  caf::actor_system& system() override { return *system_; }

  std::vector<http::event_loop*> loops() override {
    std::vector<http::event_loop*> all;
    for (auto& x : threads_)
      all.push_back(&x->loop());
    return all;
  }

  void stop() override {
    system_.reset();
    threads_.clear();
  }

private:
  caf::actor_system_config config_;
  std::vector<std::unique_ptr<loop_thread>> threads_;
  std::unique_ptr<caf::actor_system> system_;
};

} // namespace

result<std::unique_ptr<runtime>> runtime::start(scheduler_kind kind, std::size_t loops,
                                                const configure& prepare) {
  if (loops == 0 || loops > loops_max)
    return failure(errc::invalid_argument, "loops must be from 1 to " + std::to_string(loops_max)
                                               + ", not " + std::to_string(loops));
  try {
    std::unique_ptr<runtime> made;
    switch (kind) {
    case scheduler_kind::asio:
      made = std::make_unique<asio_runtime>(loops, prepare);
      break;
    case scheduler_kind::sharing:
      made = std::make_unique<sharing_runtime>(loops, prepare);
      break;
    }
    return made;
  } catch (const std::system_error& e) {
    return failure(errc::permission, std::string("no thread for a loop: ") + e.what());
  }
}

} // namespace troupe
