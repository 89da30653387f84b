#pragma once

#include "http/task.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

// What is told of a recent request, for people: which keys were considered, why each was passed
// over, how long it waited and what was tried. Plain values; none holds a secret.

namespace troupe {

/// One call of an upstream.
struct explained_attempt {
  std::uint64_t key = 0;     ///< `key_id::value`
  std::string upstream;      ///< its name
  std::string model;         ///< as asked upstream
  std::string what;          ///< class of the answer, as `to_string` has it
  int status = 0;            ///< the upstream's; 0: no answer came
  std::int64_t wait_ms = -1; ///< how long the upstream said to wait; -1: it did not
  std::string message;       ///< its words, masked
};

/// A key that was looked at.
struct explained_look {
  std::uint64_t key = 0;
  double score = 0; ///< as the strategy counts; the lowest is taken
};

/// A key that was passed over.
struct explained_turn {
  std::uint64_t key = 0;
  std::string why;           ///< in words: `cooling`, `no room within rpm`, `tried already`, ...
  std::int64_t wait_ms = -1; ///< until it could serve; -1: unknown, or never
};

/// One question for a key.
struct explained_choice {
  std::int64_t at_ms = 0;    ///< wall clock, since 1970
  std::uint64_t chosen = 0;  ///< 0: none
  std::uint32_t members = 0; ///< keys that may serve the model at all
  std::uint32_t usable = 0;  ///< of these, keys that could at that moment
  std::int32_t tier = 0;     ///< that was chosen from
  bool by_affinity = false;  ///< the key that the session or prefix had before
  std::vector<explained_look> looked;
  std::vector<explained_turn> turned;
  std::int64_t waited_ms = 0;
  std::string outcome; ///< `granted`, `resting`, `none_usable`, `waiting_room_full`, ...
};

struct explained_request {
  std::string request_id;
  std::int64_t at_ms = 0;  ///< its arrival
  std::string surface;     ///< `openai`, `gemini`, `anthropic`
  std::string model_asked; ///< the client's word
  std::string model;       ///< what it meant, after aliases and fallbacks
  std::string credential;  ///< its name
  int status = 0;          ///< what the client was told
  std::vector<explained_choice> choices;
  std::vector<explained_attempt> attempts;
};

/// A recent request by its id; nothing if it is not remembered (any more). Asked on the first
/// loop; what the pool knows of it has to be asked for, so this may take a moment.
using explain_request =
    std::function<http::task<std::optional<explained_request>>(std::string request_id)>;

} // namespace troupe
