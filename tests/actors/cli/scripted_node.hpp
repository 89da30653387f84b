#pragma once

#include "actors/cli/cli.hpp"
#include "http/server.hpp"
#include "tests/support/temporary_directory.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace troupe {

/// What the command line asked of a node.
struct seen_call {
  std::string line; ///< `GET /admin/v1/keys?limit=100`
  std::string body;
  std::string authorization, content_type, if_match;
};

/// The admin port of a node that answers as a test says, on loopback.
class scripted_node {
public:
  scripted_node();
  ~scripted_node();
  scripted_node(const scripted_node&) = delete;
  scripted_node& operator=(const scripted_node&) = delete;

  /// The next call of `line` gets this; if it is the last, later ones too. What nobody foresaw
  /// gets 500 and says so.
  void answer(const std::string& line, int status, std::string body, std::string fields = {});

  std::vector<seen_call> calls() const;
  std::vector<std::string> lines() const;

  std::uint16_t port() const;

  /// The same node on a socket file, as long as both live.
  void listen_at(const std::string& path);

private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

/// One command line after another against a scripted node.
struct commanded {
  scripted_node node;
  temporary_directory files;
  std::map<std::string, std::string> environment;
  cli_terminal terminal;
  std::string input;                ///< standard input
  std::vector<std::string> typed;   ///< lines typed at the terminal; then its end
  std::vector<bool> typed_hidden;   ///< how they were asked for
  int interrupt_after_waits = 1000; ///< Ctrl-C comes then

  int code = -1;
  std::string out, err;
  std::vector<duration> waits;

  commanded();

  /// The command line, words separated by blanks, with the exit code that is given back.
  int operator()(const std::string& words);
  int run(const std::vector<std::string>& arguments);

  /// A file with this content; gives its path.
  std::string file(const std::string& name, const std::string& content);
};

/// A key as the node tells of it; `more` replaces members: `"state":"cooling"`.
std::string key_json(const std::string& id, const std::string& more = {});

/// An answer about a job.
std::string job_json(const std::string& state, int finished, int total,
                     const std::string& report = "null", const std::string& error = "null");

} // namespace troupe
