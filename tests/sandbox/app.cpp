#include "sandbox/app.hpp"

#include "sandbox/control.hpp"
#include "sandbox/player.hpp"
#include "sandbox/prompt.hpp"
#include "sandbox/refusals.hpp"

#include <nlohmann/json.hpp>

namespace sandbox {

namespace {

const rule& plain_rule() {
  static const rule plain;
  return plain;
}

/// A reply that needs no key and is not counted.
reply at_once(const request& r, const answer& a, std::string& out) {
  write_head(a, {.framed = framing::length, .length = a.body.size(), .says_close = !r.keep_alive},
             out);
  if (r.method != "HEAD")
    out += a.body;
  return {};
}

fault missing_key(const call& c) {
  const fault_facts about;
  if (c.spoken == dialect::gemini || c.spoken == dialect::vertex)
    return make_fault("key_missing", about);
  auto f = bad_request("You didn't provide an API key.");
  f.status = 401;
  return f;
}

fault unknown_key(const call& c) {
  const fault_facts about;
  if (c.spoken == dialect::gemini || c.spoken == dialect::vertex)
    return make_fault("key_invalid", about);
  auto f = bad_request("Incorrect API key provided.");
  f.status = 401;
  return f;
}

answer scripted_error(const call& c, const rule& bent, const std::string& project) {
  if (bent.answer) {
    answer a;
    a.status = bent.answer->status;
    a.body = bent.answer->body;
    a.content_type = bent.answer->content_type;
    a.headers = bent.answer->headers;
    a.scripted = "answer";
    if (bent.retry_s)
      a.retry = duration{static_cast<std::int64_t>(*bent.retry_s * 1e9)};
    return a;
  }
  fault_facts about;
  about.key = c.key;
  about.model = c.model;
  if (!project.empty())
    about.project = project;
  if (bent.retry_s)
    about.retry = duration{static_cast<std::int64_t>(*bent.retry_s * 1e9)};
  auto a = error_answer(c, make_fault(bent.error, about), bent.in_array);
  a.scripted = bent.error;
  return a;
}

answer throttled_by_source(const call& c) {
  fault_facts about;
  about.model = c.model;
  auto a = error_answer(c, make_fault("quota_bare", about));
  a.scripted = "source";
  return a;
}

bool has_fixed_answer(method m) {
  return m == method::generate || m == method::stream || m == method::chat || m == method::messages;
}

void read_body(call& c) {
  if (!c.sent)
    c.sent = std::make_shared<const json>(parse_sent(c.body));
}

} // namespace

answer app::say(call& c, const verdict& v) {
  const auto& bent = v.bent ? *v.bent : plain_rule();
  if (v.key_unknown)
    return error_answer(c, unknown_key(c));
  if (!bent.error.empty() || bent.answer)
    return scripted_error(c, bent, v.project);
  if (v.refused)
    return refuse(c, *v.refused, v.project.empty() ? "sandbox-project" : v.project, bent.in_array);
  if (v.source_throttled)
    return throttled_by_source(c);
  if (bent.fixed && has_fixed_answer(c.what))
    return fixed_answer(c, bent);
  read_body(c);
  c.cached_tokens = v.cached_tokens;
  try {
    switch (c.spoken) {
    case dialect::gemini:
    case dialect::vertex:
      return gemini_answer(c, bent, world_);
    case dialect::openai:
      return openai_answer(c, bent, world_);
    case dialect::anthropic:
      return anthropic_answer(c, bent);
    }
  } catch (const json::exception&) {
    // A member of an unexpected type, met where nobody checked before.
    return error_answer(c, bad_request("The request body has a value of the wrong type."));
  }
  return {};
}

reply app::answer(const request& r, std::string& out) {
  if (r.path.starts_with("/_sandbox"))
    return at_once(r, control(world_, r), out);
  auto c = read_call(r);
  if (c)
    return api(r, *c, out);
  sandbox::answer a;
  const auto f = make_fault("html_404", {});
  a.status = f.status;
  a.content_type = f.raw_type;
  a.body = f.raw;
  return at_once(r, a, out);
}

reply app::api(const request& r, call& c, std::string& out) {
  if (c.key.empty())
    return at_once(r, error_answer(c, missing_key(c)), out);
  c.number = ++calls_;
  arrival a{c.key, c.model, c.what, r.source};
  if (world_.weighs() && spends(c.what)) {
    read_body(c);
    const auto p = weigh(c.spoken, c.what, *c.sent);
    a.input_tokens = p.tokens;
    a.prefix = p.prefix;
  }
  auto v = world_.arrive(a);
  const bool at_once_too = v.bent && v.bent->fixed && has_fixed_answer(c.what) && !c.streams
                           && !v.refused && !v.key_unknown && !v.source_throttled && v.told.empty()
                           && v.bent->error.empty() && !v.bent->answer && r.keep_alive
                           && v.bent->broken == breakage::none && v.bent->delay == duration{}
                           && v.bent->close_after == 0 && v.bent->drip_bytes == 0;
  if (at_once_too)
    return fixed_at_once(r, c, v, out);
  auto what = say(c, v);
  if (!v.told.empty())
    tell(c, v.told, now(), what);
  play_facts facts{.bent = v.bent,
                   .keep_alive = r.keep_alive,
                   .http_1_0 = r.http_1_0,
                   .head_only = r.method == "HEAD",
                   .on_connection = r.on_connection,
                   .key = c.key,
                   .model = c.model};
  auto bye = [this, who = v.who, key = c.key, model = c.model, what_method = c.what,
              pending = std::move(v.pending)](const ending& e) {
    world_.settle({key, model, what_method}, *who, e, pending);
  };
  reply answered;
  answered.rest = play(std::move(what), std::move(facts), std::move(bye));
  return answered;
}

reply app::fixed_at_once(const request&, const call& c, const verdict& v, std::string& out) {
  const auto make = [](dialect d) {
    call like;
    like.spoken = d;
    const auto a = fixed_answer(like, plain_rule());
    std::string bytes;
    write_head(a, {.framed = framing::length, .length = a.body.size()}, bytes);
    return bytes + a.body;
  };
  static const auto gemini = make(dialect::gemini);
  static const auto openai = make(dialect::openai);
  out += c.spoken == dialect::openai ? openai : gemini;
  world_.settle({c.key, c.model, c.what}, *v.who,
                {.status = 200, .output_tokens = fixed_output_tokens}, v.pending);
  return {};
}

} // namespace sandbox
