#include "actors/cli/files.hpp"

#include <sys/ioctl.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <iostream>
#include <memory>

namespace troupe::cli {

namespace {

class descriptor {
public:
  explicit descriptor(int fd) : fd_(fd) {}
  ~descriptor() {
    if (fd_ >= 0)
      ::close(fd_);
  }
  descriptor(const descriptor&) = delete;
  descriptor& operator=(const descriptor&) = delete;

  int get() const { return fd_; }

private:
  int fd_;
};

failure errno_failure(const std::string& path) {
  const auto code = errno == EACCES   ? errc::permission
                    : errno == ENOENT ? errc::not_found
                                      : errc::invalid_argument;
  return {code, path + ": " + std::strerror(errno)};
}

result<std::string> read_all(int fd, const std::string& name, std::size_t bytes_max) {
  std::string text;
  char buffer[64 * 1024];
  while (true) {
    const auto count = ::read(fd, buffer, sizeof buffer);
    if (count == 0)
      return text;
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return errno_failure(name);
    text.append(buffer, static_cast<std::size_t>(count));
    if (text.size() > bytes_max)
      return failure{errc::invalid_argument,
                     name + ": longer than " + std::to_string(bytes_max) + " bytes"};
  }
}

/// A typed secret stays unseen, and Ctrl-C is a character, so that it cannot leave the terminal
/// blind.
class blind_terminal {
public:
  explicit blind_terminal(bool wanted) : changed_(wanted && tcgetattr(0, &before_) == 0) {
    if (!changed_)
      return;
    auto blind = before_;
    blind.c_lflag &= ~static_cast<tcflag_t>(ECHO | ISIG);
    changed_ = tcsetattr(0, TCSAFLUSH, &blind) == 0;
  }
  ~blind_terminal() {
    if (changed_)
      tcsetattr(0, TCSAFLUSH, &before_);
  }
  blind_terminal(const blind_terminal&) = delete;
  blind_terminal& operator=(const blind_terminal&) = delete;

private:
  termios before_{};
  bool changed_;
};

constexpr std::size_t line_bytes_max = 64 * 1024;
constexpr std::size_t credential_bytes_max = 4096;
constexpr char end_of_text = '\x03'; // Ctrl-C

volatile std::sig_atomic_t interrupts = 0;
struct sigaction before_watch;

void note_interrupt(int) {
  interrupts = 1;
}

class interrupt_watch {
public:
  interrupt_watch() {
    interrupts = 0;
    struct sigaction action {};
    action.sa_handler = &note_interrupt;
    // Without SA_RESTART: what waits is to look at once. The second one meets the default.
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    sigaction(SIGINT, &action, &before_watch);
  }
  ~interrupt_watch() { sigaction(SIGINT, &before_watch, nullptr); }
  interrupt_watch(const interrupt_watch&) = delete;
  interrupt_watch& operator=(const interrupt_watch&) = delete;
};

} // namespace

result<std::string> read_file(const std::string& path, std::size_t bytes_max) {
  const descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.get() < 0)
    return errno_failure(path);
  return read_all(file.get(), path, bytes_max);
}

result<std::string> read_private_file(const std::string& path) {
  const descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  struct stat status {};
  if (file.get() < 0 || fstat(file.get(), &status) != 0)
    return errno_failure(path);
  if (S_ISREG(status.st_mode) && (status.st_mode & (S_IRGRP | S_IROTH)) != 0)
    return failure{errc::permission,
                   path + ": others may read it, so what it holds is no secret; chmod 600 it"};
  return read_all(file.get(), path, credential_bytes_max);
}

result<std::string> read_input(std::size_t bytes_max) {
  return read_all(STDIN_FILENO, "standard input", bytes_max);
}

std::optional<std::string> read_line(const std::string& prompt, bool hidden) {
  const blind_terminal blind{hidden};
  std::cerr << prompt << std::flush;
  std::string line;
  char c = 0;
  while (line.size() < line_bytes_max) {
    const auto count = ::read(STDIN_FILENO, &c, 1);
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0 || c == end_of_text)
      return std::nullopt;
    if (c == '\n')
      return line;
    line += c;
  }
  return std::nullopt;
}

std::size_t terminal_columns() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
    return 0;
  return size.ws_col;
}

std::function<bool()> watch_interrupts() {
  return [watch = std::make_shared<interrupt_watch>()] { return interrupts != 0; };
}

} // namespace troupe::cli
