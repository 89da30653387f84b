#include "actors/scheduler/asio_coordinator.hpp"

#include "actors/scheduler/undertaker.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>

#include <algorithm>
#include <cstdio>

namespace troupe {

namespace {

/// How many messages an actor may take in a row. CAF's default is no limit: an actor that
/// always has a message would never give its thread back, and no socket of that loop would be
/// served.
constexpr std::size_t default_throughput = 64;

} // namespace

asio_coordinator::asio_coordinator(caf::actor_system& system) : super(system), clock_(system) {}

/// Detached actors may have sent messages after `stop`.
asio_coordinator::~asio_coordinator() {
  for (auto& x : workers_)
    x->loop().drop_handlers();
  end_remaining_jobs();
}

caf::actor_system::module* asio_coordinator::make(caf::actor_system& system,
                                                  caf::detail::type_list<>) {
  return new asio_coordinator(system);
}

asio_coordinator* asio_coordinator::of(caf::actor_system& system) {
  return dynamic_cast<asio_coordinator*>(&system.scheduler());
}

void asio_coordinator::init(caf::actor_system_config& config) {
  super::init(config);
  if (!caf::get_if<std::size_t>(&config, "scheduler.max-throughput"))
    max_throughput_ = default_throughput;
  max_throughput_ = std::max<std::size_t>(max_throughput_, 1);
  num_workers_ = std::max<std::size_t>(num_workers_, 1);
  worker_owner& owner = *this;
  for (std::size_t i = 0; i < num_workers_; ++i)
    workers_.push_back(
        std::make_unique<loop_worker>(owner, system(), max_throughput_, turn_limit{}));
}

void asio_coordinator::start() {
  for (auto& x : workers_)
    x->start();
  clock_.start();
  super::start();
}

/// The order matters: first the loops, so that actors stop running; then CAF's printer, so that
/// their last lines appear; then what handlers and coroutines hold; then the jobs that were
/// left. The clock goes last, and dropping its entries may bring up jobs once more.
void asio_coordinator::stop() {
  if (here() != nullptr) {
    std::fputs("scheduler: an actor system can not end on its own loop\n", stderr);
    std::terminate();
  }
  for (auto& x : workers_)
    x->ask_to_stop();
  for (auto& x : workers_)
    x->join();
  stop_actors();
  for (auto& x : workers_)
    x->loop().drop_handlers();
  end_remaining_jobs();
  clock_.stop();
  end_remaining_jobs();
}

/// On a loop the job stays there: no other thread need wake.
void asio_coordinator::enqueue(caf::resumable* job) {
  if (auto* worker = here())
    worker->push(job);
  else
    workers_[next_.fetch_add(1, std::memory_order_relaxed) % workers_.size()]->put(job);
}

/// This coordinator's worker on the calling thread, or null.
loop_worker* asio_coordinator::here() const noexcept {
  auto* worker = loop_worker::current();
  return worker != nullptr && worker->belongs_to(this) ? worker : nullptr;
}

void asio_coordinator::place(caf::resumable* job) {
  enqueue(job);
}

/// A storm of spawns or a broadcast on one loop is spread this way.
void asio_coordinator::crowded(loop_worker& worker) {
  for (auto& x : workers_)
    if (x.get() != &worker && !x->busy()) {
      worker.share_with(*x);
      return;
    }
}

void asio_coordinator::handler_failed(std::exception_ptr error) {
  if (!failed_)
    std::rethrow_exception(error); // ends the process
  failed_(error);
}

/// Once no loop runs. Until nothing is left, as an end may wake others.
void asio_coordinator::end_remaining_jobs() {
  undertaker grave{system()};
  for (;;) {
    for (auto& x : workers_)
      x->take_all(grave.jobs);
    if (grave.jobs.empty())
      return;
    grave.work(caf::exit_reason::user_shutdown);
  }
}

} // namespace troupe
