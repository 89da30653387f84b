#include "actors/admin/key_checker.hpp"

#include "actors/admin/asking.hpp"
#include "protocol/client_error.hpp"
#include "protocol/gemini/model_name.hpp"
#include "protocol/upstream/classify.hpp"

#include <utility>
#include <vector>

namespace troupe {

namespace {

constexpr std::size_t body_bytes_max = 1024 * 1024;
constexpr std::size_t message_bytes_max = 300;
constexpr std::string_view counting_model = "gemini-2.5-flash";
constexpr std::string_view one_word = R"({"contents":[{"role":"user","parts":[{"text":"hi"}]}]})";

/// A call that tells whether a key is good and uses up nothing: a read of the models, or where the
/// upstream has none a count of tokens.
struct cheap_call {
  std::string path;
  std::string header_lines;
  std::string_view body;  ///< empty: none
  std::string_view model; ///< that it names
};

cheap_call cheapest_for(const upstream_target& target, const secret& key) {
  cheap_call c;
  c.path = target.base_path;
  c.header_lines = target.header_lines;
  const auto show = [&](std::string_view field) {
    c.header_lines += field;
    c.header_lines += key.reveal();
    c.header_lines += "\r\n";
  };
  switch (target.kind) {
  case upstream_kind::gemini:
    c.path += "/v1beta/models?pageSize=1";
    show("x-goog-api-key: ");
    break;
  case upstream_kind::vertex:
    c.path += gemini::models_path(target.kind);
    c.path += counting_model;
    c.path += ":countTokens";
    c.body = one_word;
    c.model = counting_model;
    c.header_lines += "content-type: application/json\r\n";
    show("x-goog-api-key: ");
    break;
  case upstream_kind::openai:
    c.path += "/v1/models";
    show("authorization: Bearer ");
    break;
  case upstream_kind::anthropic:
    c.path += "/v1/models";
    c.header_lines += "anthropic-version: 2023-06-01\r\n";
    show("x-api-key: ");
    break;
  }
  return c;
}

/// A check must not hang as long as a long answer may.
http::client_timeouts bounded(http::client_timeouts t) {
  t.first_byte = std::min<duration>(t.first_byte, std::chrono::seconds{30});
  t.total = std::min<duration>(t.total, std::chrono::seconds{60});
  return t;
}

/// The upstream's words without anything that looks like a key, and without this one.
std::string masked(std::string_view text, const secret& key) {
  auto words = mask_keys(text);
  const auto characters = key.reveal();
  for (auto at = words.find(characters); !characters.empty() && at != std::string::npos;
       at = words.find(characters, at))
    words.replace(at, characters.size(), "***");
  if (words.size() <= message_bytes_max)
    return words;
  auto end = message_bytes_max;
  while (end > 0 && (static_cast<unsigned char>(words[end]) & 0xC0U) == 0x80U)
    --end; // not inside a character
  words.resize(end);
  return words;
}

gemini::verdict verdict_of(const failure& f) {
  gemini::verdict v;
  v.what = f.code == errc::upstream_timeout ? gemini::answer_class::upstream_timeout
                                            : gemini::answer_class::upstream_fault;
  v.scope = gemini::answer_scope::model; // says nothing of the key
  v.message = f.text;
  return v;
}

admin_reply taken_back() {
  return admin_error("unavailable", "The check was taken back.");
}

gemini::verdict judge(upstream_kind kind, int status, std::string_view body,
                      const http::headers& fields, std::string_view model, wall_time now) {
  std::vector<upstream::header_field> all;
  all.reserve(fields.size());
  for (std::size_t i = 0; i < fields.size(); ++i)
    all.push_back({fields[i].name, fields[i].value});
  gemini::answer_facts facts;
  facts.model = model;
  facts.now = now;
  facts.retry_after = fields.get("retry-after");
  facts.retry_after_ms = fields.get("retry-after-ms");
  facts.fields = all;
  auto v = upstream::classify(kind, status, body, facts);
  if (v.what == gemini::answer_class::ok && status != 200) {
    v.what = gemini::answer_class::upstream_fault;
    v.scope = gemini::answer_scope::model;
    v.message = "The upstream answered with status " + std::to_string(status) + '.';
  }
  return v;
}

} // namespace

struct key_checker::called {
  gemini::verdict verdict;
  int status = 0;
  bool cancelled = false;
  duration took{};

  called() {}
};

http::task<key_checker::called> key_checker::call(const upstream_reach& reach,
                                                  const revealed_key& key,
                                                  http::cancel_source& cancel) {
  const auto& target = reach.target;
  const auto cheap = cheapest_for(target, key.characters);
  http::client_request request;
  request.method = cheap.body.empty() ? "GET" : "POST";
  request.target = cheap.path;
  request.header_lines = cheap.header_lines;
  request.body = cheap.body;
  request.has_body = !cheap.body.empty();
  request.timeouts = bounded(target.timeouts);
  request.proxy = key.proxy.reveal();

  called end;
  const auto sent = loop_.now();
  auto answer = co_await reach.client->send(target.where, request, cancel);
  if (!answer) {
    end.cancelled = answer.error().code == errc::cancelled;
    end.verdict = verdict_of(answer.error());
    end.took = loop_.now() - sent;
    co_return end;
  }
  auto& from = **answer;
  end.status = from.status();
  std::string body;
  for (;;) {
    auto bytes = co_await from.read();
    if (!bytes && bytes.error().code == errc::cancelled)
      end.cancelled = true;
    if (!bytes || bytes->empty() || body.size() > body_bytes_max)
      break; // the status and what has come tell enough
    body += *bytes;
  }
  end.took = loop_.now() - sent;
  end.verdict = judge(target.kind, end.status, body, from.fields(), cheap.model, wall_());
  co_return end;
}

http::task<key_checker::probed> key_checker::probe(std::uint64_t id, http::cancel_source& cancel) {
  reveal_key question;
  question.id = id;
  auto revealed = co_await actors_.ask<answer<revealed_key>>(inventory_, std::move(question));
  if (auto no = refusal_in(revealed))
    co_return probed(*std::move(no));
  if (cancel.cancelled())
    co_return probed(taken_back());
  const auto& key = revealed->yes;
  const auto reach = find_(key.upstream);
  if (!reach)
    co_return probed(admin_error("invalid_request",
                                 "The key's upstream is not configured: nothing can be checked."));
  const auto ended = co_await call(*reach, key, cancel);
  if (ended.cancelled || cancel.cancelled())
    co_return probed(taken_back());
  const auto& v = ended.verdict;
  probed out;
  auto& s = out.report;
  s.what = v.what;
  s.scope = v.scope;
  s.concerned_model = v.model;
  s.retry_after_ms = v.retry_after ? v.retry_after->count() : -1;
  s.model_not_offered = v.model_not_offered;
  s.latency_us = std::chrono::duration_cast<std::chrono::microseconds>(ended.took).count();
  out.end.ok = v.what == gemini::answer_class::ok;
  out.end.word = gemini::to_string(v.what);
  out.end.status = ended.status;
  out.end.latency_ms = s.latency_us / 1'000;
  if (!out.end.ok) {
    s.message = masked(v.message, key.characters);
    s.reason = v.reason;
    out.end.message = s.message;
  }
  co_return out;
}

http::task<key_checker::outcome> key_checker::check(std::uint64_t id, asker by,
                                                    http::cancel_source& cancel) {
  auto found = co_await probe(id, cancel);
  if (found.no)
    co_return outcome(*std::move(found.no));
  report_check report;
  report.by = std::move(by);
  report.id = id;
  report.end = std::move(found.report);
  auto told = co_await actors_.ask<answer<key_view>>(inventory_, std::move(report));
  if (auto no = refusal_in(told))
    co_return outcome(*std::move(no));
  outcome out;
  out.end = std::move(found.end);
  out.key = std::move(told->yes);
  co_return out;
}

} // namespace troupe
