#include "sandbox/app.hpp"
#include "sandbox/control.hpp"
#include "sandbox/http_server.hpp"

#include <charconv>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <sys/resource.h>

namespace {

constexpr const char* help =
    R"(troupe-sandbox: a fake upstream in the shapes of Gemini, OpenAI and Anthropic.

  --listen ADDRESS:PORT  where to listen (127.0.0.1:0; port 0 means any free one)
  --threads N            loops that serve, 1 to 64 (1)
  --port-file FILE       the actual port is written there when it is ready
  --script FILE          scripts to begin with, as for POST /_sandbox/scripts
  --fast                 constant answers for every key, for benchmarks
  --strict-keys K,K,...  answer only these keys
  --version, --help

Scripts, counters and the judge: docs/sandbox.md
)";

struct arguments {
  sandbox::server_options server;
  std::string port_file;
  std::string script_file;
  std::string strict_keys;
  bool fast = false;
};

bool read_number(std::string_view s, unsigned& to, unsigned low, unsigned high) {
  const auto [end, ec] = std::from_chars(s.data(), s.data() + s.size(), to);
  return ec == std::errc{} && end == s.data() + s.size() && to >= low && to <= high;
}

bool read_listen(std::string_view s, sandbox::server_options& to) {
  const auto colon = s.rfind(':');
  unsigned port = 0;
  if (colon == s.npos || !read_number(s.substr(colon + 1), port, 0, 65535))
    return false;
  auto address = s.substr(0, colon);
  if (address.size() > 1 && address.front() == '[' && address.back() == ']')
    address = address.substr(1, address.size() - 2);
  to.address = address;
  to.port = static_cast<std::uint16_t>(port);
  return !address.empty();
}

/// Takes one option; `value` is what follows it. Returns the trouble.
std::string take(std::string_view option, std::string_view value, arguments& to) {
  if (option == "--listen")
    return read_listen(value, to.server) ? "" : "--listen wants ADDRESS:PORT";
  if (option == "--threads")
    return read_number(value, to.server.threads, 1, 64) ? "" : "--threads is from 1 to 64";
  if (option == "--port-file")
    to.port_file = value;
  else if (option == "--script")
    to.script_file = value;
  else if (option == "--strict-keys")
    to.strict_keys = value;
  else
    return "unknown option " + std::string{option} + ", see --help";
  return {};
}

std::string read_arguments(int argc, char** argv, arguments& to) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    if (option == "--fast") {
      to.fast = true;
      continue;
    }
    if (i + 1 == argc)
      return option.starts_with("--")
                 ? "unknown option " + std::string{option} + ", or its value is missing; see --help"
                 : "unexpected " + std::string{option} + ", see --help";
    if (auto why = take(option, argv[++i], to); !why.empty())
      return why;
  }
  return {};
}

std::string prepare(const arguments& a, sandbox::app& app) {
  if (a.fast)
    sandbox::put_scripts(app.inside(), R"({"key": "*", "rules": [{"fixed": true}]})");
  if (!a.script_file.empty()) {
    std::ifstream file{a.script_file};
    std::stringstream text;
    text << file.rdbuf();
    if (!file)
      return "cannot read " + a.script_file;
    if (auto why = sandbox::put_scripts(app.inside(), text.str()); !why.empty())
      return a.script_file + ": " + why;
  }
  if (!a.strict_keys.empty()) {
    sandbox::settings s;
    s.strict_keys = true;
    std::istringstream keys{a.strict_keys};
    for (std::string key; std::getline(keys, key, ',');)
      s.keys.insert(key);
    app.inside().set_options(std::move(s));
  }
  return {};
}

/// As many connections as the system lets us have.
void raise_file_limit() {
  rlimit l{};
  if (::getrlimit(RLIMIT_NOFILE, &l) == 0) {
    l.rlim_cur = l.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &l);
  }
}

int fail(const std::string& why) {
  std::fprintf(stderr, "troupe-sandbox: %s\n", why.c_str());
  return 1;
}

} // namespace

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (std::string_view{argv[i]} == "--help")
      return std::fputs(help, stdout) < 0 ? 1 : 0;
    if (std::string_view{argv[i]} == "--version")
      return std::printf("troupe-sandbox %s\n", SANDBOX_VERSION) < 0 ? 1 : 0;
  }
  arguments a;
  if (auto why = read_arguments(argc, argv, a); !why.empty())
    return fail(why);
  raise_file_limit();
  // Blocked before any thread exists, so that only the wait below gets them.
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  sandbox::app app;
  if (auto why = prepare(a, app); !why.empty())
    return fail(why);
  sandbox::http_server server{a.server, app};
  if (auto why = server.start(); !why.empty())
    return fail(why);
  const auto shown = a.server.address.find(':') == std::string::npos ? a.server.address
                                                                     : "[" + a.server.address + "]";
  std::printf("troupe-sandbox listens on http://%s:%u\n", shown.c_str(), server.port());
  std::fflush(stdout);
  if (!a.port_file.empty() && !(std::ofstream{a.port_file} << server.port() << '\n'))
    return fail("cannot write " + a.port_file);
  int got = 0;
  ::sigwait(&ends, &got);
  server.stop();
  return 0;
}
