#pragma once

#include "sandbox/answer.hpp"
#include "sandbox/exchange.hpp"
#include "sandbox/script.hpp"

#include <functional>
#include <memory>

namespace sandbox {

struct play_facts {
  std::shared_ptr<const rule> bent; ///< null: as it is
  bool keep_alive = true;
  bool http_1_0 = false;
  bool head_only = false; ///< HEAD
  std::size_t on_connection = 1;
  std::string key;
  std::string model;
};

/// Told once how the reply ended.
using farewell = std::function<void(const ending&)>;

/// Plays one answer over a connection, bent as the rule says.
std::unique_ptr<performance> play(answer a, play_facts facts, farewell bye);

/// How a body is delimited, for `write_head`.
struct head_facts {
  framing framed = framing::length;
  std::size_t length = 0;
  bool says_close = false;
  bool gzip = false;
  std::size_t fill_to = 0; ///< grows the head to at least so many bytes
};

void write_head(const answer& a, const head_facts& h, std::string& out);

} // namespace sandbox
