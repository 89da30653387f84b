#pragma once

#include "sandbox/answer.hpp"
#include "sandbox/json.hpp"
#include "sandbox/script.hpp"
#include "sandbox/world.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace sandbox {

enum class dialect : std::uint8_t { gemini, vertex, openai, anthropic };

/// One API call, read from the request line, the headers and, where the dialect
/// wants it, the body.
struct call {
  dialect spoken = dialect::gemini;
  method what = method::generate;
  std::string key;
  std::string model;
  bool sse = false;     ///< Gemini: `alt=sse`
  bool streams = false; ///< the answer comes in events
  std::string_view query;
  std::string_view body;
  std::uint64_t number = 0;         ///< of this process, for ids
  std::shared_ptr<const json> sent; ///< the body, once somebody wanted to read it
  std::uint64_t cached_tokens = 0;  ///< of the prompt, found in the key's cache
  std::string resource;             ///< `cachedContents/ID`, when the path names one
  std::string_view verb;            ///< the HTTP method
};

/// A value of a query, percent-decoded; empty when absent.
std::string query_value(std::string_view query, std::string_view name);
std::string percent_decoded(std::string_view s);

/// The error in the dialect of the call.
answer error_answer(const call& c, const fault& f, bool in_array = false);

/// An ordinary answer of each dialect. `bent` is never null.
answer gemini_answer(const call& c, const rule& bent, world& w);
answer openai_answer(const call& c, const rule& bent, world& w);
answer anthropic_answer(const call& c, const rule& bent);

/// `cachedContents` of the Gemini API: made, read, listed and dropped by one key.
answer cached_contents(const call& c, world& w);
/// The Responses API and embeddings of OpenAI.
answer openai_response(const call& c, const rule& bent, world& w);
answer openai_embeddings(const call& c);

/// Answers of constant bytes, made without a look at the body.
answer fixed_answer(const call& c, const rule& bent);

/// The text that every ordinary answer begins with.
std::string greeting(std::string_view model, std::string_view said);

} // namespace sandbox
