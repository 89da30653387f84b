#include "actors/bridge.hpp"
#include "actors/messages.hpp"
#include "actors/scheduling.hpp"
#include "tests/actors/on_loop.hpp"

#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/stateful_actor.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

/// What a lease costs under each scheduler: a question that the pool passes on to a key's
/// actor, its answer, and the settlement. Prints microseconds; the numbers of
/// docs/decisions/0001 come from here.
///
///     runtime_bench asio|sharing gaps   COUNT   one question every 2 ms
///     runtime_bench asio|sharing row    COUNT   one coroutine, question after question
///     runtime_bench asio|sharing load   COUNT   32 coroutines on each of two loops
///     runtime_bench asio|sharing crowd  COUNT   the same, all at one pool and one key
///     runtime_bench asio|sharing count  COUNT   nothing but the work, for callgrind

namespace troupe {
namespace {

using bench_clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

struct key_of_bench {
  std::uint64_t leases = 0;
  std::uint64_t settled = 0;
};

caf::behavior key(caf::stateful_actor<key_of_bench>* self) {
  return {
      [self](const acquire_request&) {
        acquire_reply reply;
        reply.grant = grant_kind::granted;
        reply.lease = ++self->state.leases;
        reply.secret_text = secret{"AIzaSy_a_secret_of_thirty_nine_letters_"};
        reply.key_actor = self;
        return reply;
      },
      [self](const settlement&) { ++self->state.settled; },
  };
}

caf::behavior pool(caf::event_based_actor* self, const caf::actor& chosen) {
  return {[self, chosen](acquire_request& request) -> caf::result<acquire_reply> {
    self->delegate(chosen, std::move(request));
    return caf::delegated<acquire_reply>{};
  }};
}

/// Answers how many were granted; `latencies` gets one entry each, unless null.
http::task<std::uint64_t> lease_and_settle(bridge& from, caf::actor to, std::uint64_t times,
                                           std::vector<double>* latencies) {
  std::uint64_t granted = 0;
  for (std::uint64_t i = 0; i < times; ++i) {
    acquire_request question;
    question.model = "gemini-2.0-flash";
    const auto asked = bench_clock::now();
    const auto lease = co_await from.ask<acquire_reply>(to, std::move(question));
    if (latencies != nullptr)
      latencies->push_back(
          std::chrono::duration<double, std::micro>(bench_clock::now() - asked).count());
    if (!lease || lease->grant != grant_kind::granted)
      continue;
    ++granted;
    settlement s;
    s.lease = lease->lease;
    s.model = "gemini-2.0-flash";
    from.tell(lease->key_actor, std::move(s));
  }
  co_return granted;
}

double cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

double percentile(std::vector<double>& sorted, double share) {
  if (sorted.empty())
    return 0;
  return sorted[std::min(sorted.size() - 1,
                         static_cast<std::size_t>(share * static_cast<double>(sorted.size())))];
}

/// The kernel's own interval, so that a question's delay does not shift the next one.
class ticker {
public:
  explicit ticker(std::chrono::nanoseconds interval) : fd_(timerfd_create(CLOCK_MONOTONIC, 0)) {
    const itimerspec every{{0, interval.count()}, {0, interval.count()}};
    TROUPE_ASSERT(timerfd_settime(fd_, 0, &every, nullptr) == 0);
  }
  ~ticker() { close(fd_); }
  ticker(const ticker&) = delete;
  ticker& operator=(const ticker&) = delete;

  void wait() const {
    std::uint64_t ticks = 0;
    TROUPE_ASSERT(read(fd_, &ticks, sizeof ticks) == sizeof ticks);
  }

private:
  int fd_;
};

struct parts {
  std::unique_ptr<runtime> system;
  std::vector<std::unique_ptr<bridge>> bridges;
  std::vector<caf::actor> pools; ///< one per loop, each with a key of its own
};

std::uint64_t run(parts& all, std::string_view what, std::uint64_t count,
                  std::vector<double>& latencies) {
  auto loops = all.system->loops();
  std::uint64_t granted = 0;
  if (what == "gaps") {
    const ticker pace{2ms};
    for (std::uint64_t i = 0; i < count; ++i) {
      pace.wait();
      granted += on_loop(*loops[0], lease_and_settle(*all.bridges[0], all.pools[0], 1, &latencies));
    }
  } else if (what == "load" || what == "crowd") {
    std::vector<std::future<std::uint64_t>> running;
    for (std::size_t i = 0; i < loops.size(); ++i)
      for (int n = 0; n < 32; ++n)
        running.push_back(begin_on(
            *loops[i], lease_and_settle(*all.bridges[i], all.pools[i], count / 64, nullptr)));
    for (auto& x : running)
      granted += x.get();
  } else {
    granted = on_loop(*loops[0], lease_and_settle(*all.bridges[0], all.pools[0], count,
                                                  what == "row" ? &latencies : nullptr));
  }
  return granted;
}

int bench(scheduler_kind kind, std::string_view what, std::uint64_t count) {
  collected_log log;
  parts all;
  auto started = runtime::start(kind, what == "load" || what == "crowd" ? 2 : 1);
  if (!started)
    return 1;
  all.system = *std::move(started);
  std::vector<caf::actor> actors;
  for (auto* loop : all.system->loops()) {
    all.bridges.push_back(std::make_unique<bridge>(*loop, all.system->system(), log));
    actors.push_back(all.system->system().spawn(key));
    all.pools.push_back(all.system->system().spawn(pool, actors.back()));
    actors.push_back(all.pools.back());
  }
  std::vector<double> latencies;
  latencies.reserve(count);
  const auto began = bench_clock::now();
  const auto cpu = cpu_seconds();
  const auto granted = run(all, what, count, latencies);
  const auto cpu_used = cpu_seconds() - cpu;
  const auto took = std::chrono::duration<double>(bench_clock::now() - began).count();
  std::sort(latencies.begin(), latencies.end());
  std::printf("granted %llu  p50 %.1f us  p99 %.1f us  %.0f leases/s  %.2f us CPU per lease\n",
              static_cast<unsigned long long>(granted), percentile(latencies, 0.5),
              percentile(latencies, 0.99), static_cast<double>(granted) / took,
              cpu_used * 1e6 / static_cast<double>(granted));
  for (auto& x : actors)
    caf::anon_send_exit(x, caf::exit_reason::user_shutdown);
  actors.clear();
  all.bridges.clear();
  all.pools.clear();
  all.system->stop();
  return 0;
}

} // namespace
} // namespace troupe

int main(int argc, char** argv) {
  using troupe::scheduler_kind;
  if (argc != 4) {
    std::puts("usage: runtime_bench asio|sharing gaps|row|load|crowd|count COUNT");
    return 2;
  }
  const auto kind =
      std::string_view{argv[1]} == "sharing" ? scheduler_kind::sharing : scheduler_kind::asio;
  return troupe::bench(kind, argv[2], std::strtoull(argv[3], nullptr, 10));
}
