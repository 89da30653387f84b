#pragma once

#include "actors/front/answers.hpp"
#include "protocol/gemini/native.hpp"
#include "protocol/sse/parser.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace troupe {

/// Passes a Gemini body on byte for byte after a scan. `expects_candidates`: for
/// `generateContent`; an answer without candidates and without a block is no answer.
class native_whole final : public whole_answer {
public:
  explicit native_whole(bool expects_candidates) : expects_candidates_(expects_candidates) {}

  std::variant<std::string, inner_error, client_error> translate(std::string body) override;
  token_usage usage() const override { return usage_; }

private:
  bool expects_candidates_;
  token_usage usage_;
};

/// A page of models, of which the client sees those that its credential may use.
class native_models final : public whole_answer {
public:
  /// `patterns` outlive it.
  explicit native_models(const std::vector<std::string>& patterns) : patterns_(patterns) {}

  std::variant<std::string, inner_error, client_error> translate(std::string body) override;
  token_usage usage() const override { return {}; }

private:
  const std::vector<std::string>& patterns_;
};

/// What both forms of a native stream know of the events so far.
struct native_progress {
  bool finished = false;
  bool blocked = false;
  token_usage usage;

  /// Takes one event in; an error, if it is one.
  std::optional<std::variant<inner_error, client_error>> take(std::string_view event);
  std::optional<client_error> missing_end() const;
};

/// A stream with `alt=sse`: every event is framed anew as exactly one `data:` line, the only
/// framing that all Gemini clients read.
class native_sse final : public stream_answer {
public:
  explicit native_sse(std::size_t event_bytes_max) : events_(event_bytes_max) {}

  std::string_view content_type() const override { return "text/event-stream"; }
  std::optional<std::variant<inner_error, client_error>> feed(std::string_view bytes,
                                                              std::string& out) override;
  std::optional<client_error> end(std::string& out) override;
  std::string broken(const client_error& why, std::string_view request_id) const override;
  token_usage usage() const override { return progress_.usage; }

private:
  sse::parser events_;
  native_progress progress_;
};

/// A stream without `alt=sse`: one JSON array, an element at a time.
class native_array final : public stream_answer {
public:
  explicit native_array(std::size_t event_bytes_max) : elements_(event_bytes_max) {}

  std::string_view content_type() const override { return "application/json; charset=UTF-8"; }
  std::optional<std::variant<inner_error, client_error>> feed(std::string_view bytes,
                                                              std::string& out) override;
  std::optional<client_error> end(std::string& out) override;
  std::string broken(const client_error& why, std::string_view request_id) const override;
  token_usage usage() const override { return progress_.usage; }

private:
  gemini::array_splitter elements_;
  std::vector<std::string_view> ready_;
  native_progress progress_;
  bool begun_ = false;
};

} // namespace troupe
