#pragma once

#include <csignal>

#include <sys/resource.h>

namespace troupe {

/// While it lives, no file of this process can grow: writes fail as they do on a full disk.
class full_disk {
public:
  full_disk() {
    signal_ = std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    auto none = before_;
    none.rlim_cur = 0;
    ::setrlimit(RLIMIT_FSIZE, &none);
  }
  ~full_disk() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, signal_);
  }
  full_disk(const full_disk&) = delete;
  full_disk& operator=(const full_disk&) = delete;

private:
  rlimit before_{};
  void (*signal_)(int) = SIG_DFL;
};

} // namespace troupe
