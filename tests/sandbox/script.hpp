#pragma once

#include "sandbox/clock.hpp"
#include "sandbox/json.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sandbox {

/// What one request asks for. `docs/sandbox.md` lists the names.
enum class method : std::uint8_t {
  models,
  model,
  generate,
  stream,
  count,
  caches, ///< everything below `cachedContents`
  chat,
  responses,
  embeddings,
  messages
};

/// Its name in scripts and counters.
const char* name_of(method m);

/// True for the methods that spend a quota; lists and counting are free.
bool spends(method m);

/// Who shares one allowance.
enum class scope : std::uint8_t { key, key_model, project, project_model };

/// What a limit counts. Input tokens count when a request arrives, output tokens when its answer
/// has ended; `tokens` are both.
enum class measure : std::uint8_t { requests, tokens, input_tokens, output_tokens, in_flight };

/// An allowance: so much within any window of that length, or, with `until_midnight`, from one
/// Pacific midnight to the next, or, of `in_flight`, at one time.
struct limit {
  std::uint64_t allowed = 0;
  measure counts = measure::requests;
  duration window{};
  bool until_midnight = false;
  scope shared_by = scope::key_model;
  std::string model; ///< empty: every model
};

/// Where a reply is broken, and how.
enum class breakage : std::uint8_t {
  none,
  reset,      ///< RST
  hang,       ///< silence for ever, connection open
  fin,        ///< clean close, the message incomplete
  half_event, ///< an event cut in half, then a proper end of the message
  no_finish,  ///< the message ends properly, the last events never come
  garbage,    ///< an event, or a body, that is not JSON
  error,      ///< an error event in mid-stream, then a proper end
  not_http,   ///< bytes that are no HTTP at all
};

enum class place : std::uint8_t { before_head, after_head, body };

enum class framing : std::uint8_t { usual, chunked, length, close };

/// An answer written out in the script, word for word.
struct verbatim {
  int status = 0;
  std::string body;
  std::string content_type = "application/json; charset=UTF-8";
  std::vector<std::pair<std::string, std::string>> headers;
};

/// For which requests a rule holds, and what happens to them.
struct rule {
  std::string model; ///< empty: any
  std::optional<method> only;
  std::uint64_t skip = 0;             ///< matching requests let through first
  std::optional<std::uint64_t> first; ///< how many are caught after those
  double probability = 1;

  std::string error; ///< a name of the catalogue
  std::optional<verbatim> answer;
  std::optional<double> retry_s;
  bool in_array = false;

  breakage broken = breakage::none;
  place broken_at = place::body;
  std::uint64_t after_events = 1;
  std::string broken_error = "overloaded";

  duration delay{};       ///< before the head
  duration event_delay{}; ///< before each event but the first
  double tokens_per_second = 0;
  std::uint64_t events = 0;      ///< 0: as many as the text needs
  std::uint64_t event_bytes = 0; ///< text per event; 0: the usual text, divided
  bool flush_each = false;       ///< unpaced events are written one by one
  std::uint64_t drip_bytes = 0;
  duration drip_every{};

  std::optional<std::string> text;
  std::string finish_reason;
  std::string block_reason;
  std::uint64_t head_bytes = 0; ///< the head is filled up to this size
  bool gzip = false;
  framing framed = framing::usual;
  std::uint64_t close_after = 0; ///< requests on one connection; 0: never
  bool close_silently = false;   ///< without saying `Connection: close`
  bool fixed = false;            ///< constant answers, no look at the body
  bool empty = false;            ///< an answer without candidates, and no reason why
};

/// A rule and how often it was asked.
struct live_rule {
  std::shared_ptr<const rule> what;
  std::uint64_t matched = 0;
};

/// All that is scripted for one key, or for every key ("*").
struct script {
  std::string key;
  std::string project;
  std::vector<limit> limits;
  std::vector<live_rule> rules;
  bool tells_limits = false; ///< in headers, as OpenAI and Anthropic do
  /// Requests that one client address may send within `source_window`, with this key or, of "*",
  /// with any; 0: as many as it likes. More get a 429 without details.
  std::uint64_t per_source = 0;
  duration source_window{};
};

/// Reads one script. Anything unknown or out of range is refused: a script with
/// a slip of the pen would make a test pass for the wrong reason.
/// Returns the trouble, or an empty string.
std::string read_script(const json& from, script& to);

} // namespace sandbox
