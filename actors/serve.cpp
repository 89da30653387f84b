#include "actors/serve.hpp"

#include "actors/log.hpp"
#include "actors/node.hpp"
#include "actors/version.hpp"

#include <fmt/format.h>

#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <cstdio>
#include <ctime>
#include <string>

namespace troupe {

namespace {

/// Every connection is a descriptor: take as many as the system allows this process.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

/// A terminal that is gone, or a full disk behind it, is no reason to end.
void say(std::FILE* where, const std::string& line) {
  std::fputs(line.c_str(), where);
}

/// Blocks the signals in this thread and all that it will start.
sigset_t claim_signals() {
  sigset_t ours;
  sigemptyset(&ours);
  sigaddset(&ours, SIGTERM);
  sigaddset(&ours, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ours, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return ours;
}

void await_signal(const sigset_t& signals) {
  int which = 0;
  while (sigwait(&signals, &which) != 0) {
  }
}

/// Waits until the node has drained, for `limit`, or until a second signal says to hurry.
bool await_drained(node& n, const sigset_t& signals, duration limit) {
  constexpr std::chrono::milliseconds look{50};
  const timespec at_once{};
  const auto until = std::chrono::steady_clock::now() + limit;
  while (!n.wait_drained(look)) {
    if (std::chrono::steady_clock::now() >= until || sigtimedwait(&signals, nullptr, &at_once) > 0)
      return false;
  }
  return true;
}

std::string shown_address(const listen_address& where, std::uint16_t port) {
  return to_string(listen_address{where.address, port});
}

/// The only place where a credential is ever printed, and only on the start that made it.
void announce(const first_credentials& made) {
  if (!made.client.empty())
    say(stdout, fmt::format("client credential (shown once): {}\n", made.client.reveal()));
  if (!made.admin.empty())
    say(stdout, fmt::format("admin credential (shown once): {}\n", made.admin.reveal()));
  std::fflush(stdout);
}

void announce(const settings& s, const node& n) {
  const auto scheme = s.tls.enabled() ? "https" : "http";
  say(stdout,
      fmt::format("troupe listens on {}://{}\n", scheme, shown_address(s.listen, n.port())));
  say(stdout, fmt::format("admin on http://{}\n", shown_address(s.admin_listen, n.admin_port())));
  std::fflush(stdout);
}

} // namespace

int serve(const config_sources& sources, const loaded_settings& loaded) {
  const auto& s = loaded.values;
  const auto signals = claim_signals();
  raise_descriptor_limit();
  ::umask(077); // whatever this process makes is its owner's alone
  auto log = make_log(s.log, s.data_dir);
  if (!log) {
    say(stderr, fmt::format("troupe cannot start: {}\n", log.error().text));
    return 1;
  }
  for (const auto& warning : loaded.warnings)
    (*log)->write(log_area::http, log_level::warning, {}, warning);
  first_credentials made;
  auto started = node::start(sources, s, **log, made);
  announce(made);
  if (!started) {
    say(stderr, fmt::format("troupe cannot start: {}\n", started.error().text));
    (*log)->write(log_area::http, log_level::error, {}, "cannot start: " + started.error().text);
    return 1;
  }
  auto& n = **started;
  announce(n.settings_now()->values, n);
  (*log)->write(log_area::http, log_level::info, {},
                fmt::format("troupe {} serves {} keys on port {}, admin on port {}", version,
                            n.keys(), n.port(), n.admin_port()));
  await_signal(signals);
  (*log)->write(log_area::http, log_level::info, {},
                "draining: running requests finish, no new ones");
  n.drain();
  const bool drained = await_drained(n, signals, n.settings_now()->values.drain_timeout);
  const bool stored = n.stop();
  (*log)->write(log_area::http, log_level::info, {},
                drained ? "stopped" : "stopped; some exchanges were cut");
  if (!stored) {
    say(stderr, "troupe: the last state of the keys could not be stored: is the disk full?\n");
    return 4;
  }
  return drained ? 0 : 3;
}

} // namespace troupe
