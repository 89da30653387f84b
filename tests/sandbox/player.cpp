#include "sandbox/player.hpp"

#include "sandbox/gzip.hpp"

#include <algorithm>
#include <cstdio>
#include <optional>

namespace sandbox {

namespace {

// A reset destroys what the client has not read yet. It gets a moment to read,
// so that "reset in the body" is not "reset before the head" by accident.
constexpr std::chrono::milliseconds before_a_reset{30};

constexpr std::string_view garbage = "\x16\x03\x01{]\xff\xfe not what you asked for \x01\x02";

const char* reason(int status) {
  switch (status) {
  case 200:
    return "OK";
  case 400:
    return "Bad Request";
  case 401:
    return "Unauthorized";
  case 403:
    return "Forbidden";
  case 404:
    return "Not Found";
  case 405:
    return "Method Not Allowed";
  case 413:
    return "Payload Too Large";
  case 429:
    return "Too Many Requests";
  case 500:
    return "Internal Server Error";
  case 502:
    return "Bad Gateway";
  case 503:
    return "Service Unavailable";
  case 504:
    return "Gateway Timeout";
  default:
    return "Sandbox";
  }
}

std::string_view word_for(breakage b) {
  switch (b) {
  case breakage::none:
    return "";
  case breakage::reset:
    return "reset";
  case breakage::hang:
    return "hang";
  case breakage::fin:
    return "fin";
  case breakage::half_event:
    return "half_event";
  case breakage::no_finish:
    return "no_finish";
  case breakage::garbage:
    return "garbage";
  case breakage::error:
    return "error";
  case breakage::not_http:
    return "not_http";
  }
  return "";
}

const rule& no_rule() {
  static const rule none;
  return none;
}

class player : public performance {
public:
  player(answer a, play_facts facts, farewell bye)
      : answer_(std::move(a)),
        facts_(std::move(facts)),
        rule_(facts_.bent ? *facts_.bent : no_rule()),
        bye_(std::move(bye)) {
    choose_framing();
    prepare_whole_body();
  }

  void advance(step& s) override {
    if (rule_.drip_bytes == 0)
      produce(s);
    else
      drip(s);
  }

  void ended(departure how) override {
    ending e;
    e.status = head_sent_ ? answer_.status : 0;
    e.scripted = broke_ ? word_for(rule_.broken) : answer_.scripted;
    e.how = how == departure::delivered && broke_ ? departure::broken : how;
    e.retry = answer_.retry;
    e.until_midnight = answer_.until_midnight;
    if (head_sent_)
      e.output_tokens = answer_.events ? answer_.events->output_tokens() : answer_.output_tokens;
    bye_(e);
  }

private:
  enum class stage { start, head_is_out, body, tail };

  void choose_framing() {
    framed_ = rule_.framed == framing::usual || (answer_.events && rule_.framed == framing::length)
                  ? (answer_.events ? framing::chunked : framing::length)
                  : rule_.framed;
    if (facts_.http_1_0 && framed_ == framing::chunked)
      framed_ = framing::close;
    const bool last_here = rule_.close_after > 0 && facts_.on_connection >= rule_.close_after;
    closes_ = !facts_.keep_alive || last_here || framed_ == framing::close;
    says_close_ = closes_ && !(last_here && rule_.close_silently && facts_.keep_alive);
  }

  bool broken_in_body() const {
    return rule_.broken != breakage::none && rule_.broken_at == place::body;
  }

  /// A body without events is bent before its length is announced.
  void prepare_whole_body() {
    if (answer_.events)
      return;
    auto& body = answer_.body;
    if (broken_in_body() && rule_.broken == breakage::garbage) {
      body = garbage;
      broke_ = true;
    } else if (broken_in_body() && rule_.broken == breakage::half_event) {
      body.resize(body.size() / 2);
      broke_ = true;
    }
    if (rule_.gzip)
      body = gzipper{}.add(body, true);
  }

  void produce(step& s) {
    switch (stage_) {
    case stage::start:
      return begin(s);
    case stage::head_is_out:
      return after_head(s);
    case stage::body:
      return answer_.events ? next_event(s) : whole_body(s);
    case stage::tail:
      return tail(s);
    }
  }

  void begin(step& s) {
    s.wait = rule_.delay;
    if (rule_.broken == breakage::not_http) {
      s.bytes += garbage;
      broke_ = true;
      s.then = act::close;
      return;
    }
    if (rule_.broken != breakage::none && rule_.broken_at == place::before_head) {
      broke_ = true;
      s.then = act_for(rule_.broken);
      return;
    }
    write_head(answer_,
               {.framed = framed_,
                .length = answer_.body.size(),
                .says_close = says_close_,
                .gzip = rule_.gzip,
                .fill_to = rule_.head_bytes},
               s.bytes);
    head_sent_ = true;
    stage_ = facts_.head_only ? stage::tail : stage::head_is_out;
  }

  void after_head(step& s) {
    stage_ = stage::body;
    if (rule_.broken != breakage::none && rule_.broken_at == place::after_head)
      break_here(s);
  }

  void whole_body(step& s) {
    const bool cut = broken_in_body()
                     && (rule_.broken == breakage::reset || rule_.broken == breakage::hang
                         || rule_.broken == breakage::fin);
    if (cut && half_sent_)
      return break_here(s);
    const auto bytes = cut ? answer_.body.size() / 2 : answer_.body.size();
    if (bytes > 0)
      frame(std::string_view{answer_.body}.substr(0, bytes), s.bytes);
    half_sent_ = true;
    if (!cut)
      stage_ = stage::tail;
  }

  void next_event(step& s) {
    s.flush = rule_.flush_each;
    if (broken_in_body() && sent_ == rule_.after_events)
      return break_stream(s);
    if (sent_ > 0)
      s.wait = event_delay();
    event_.clear();
    if (!answer_.events->next(event_)) {
      s.wait = {};
      if (broken_in_body())
        return break_stream(s); // later than there are events: at their end
      stage_ = stage::tail;
      return;
    }
    ++sent_;
    frame_event(event_, s.bytes);
  }

  duration event_delay() const {
    if (rule_.tokens_per_second > 0)
      return duration{static_cast<std::int64_t>(1e9 * static_cast<double>(answer_.tokens_per_event)
                                                / rule_.tokens_per_second)};
    return rule_.event_delay;
  }

  void break_stream(step& s) {
    s.wait = event_delay();
    stage_ = stage::tail;
    switch (rule_.broken) {
    case breakage::none:
    case breakage::not_http:
      return;
    case breakage::reset:
    case breakage::hang:
    case breakage::fin:
      return break_here(s);
    case breakage::half_event:
      event_.clear();
      if (answer_.events->next(event_))
        frame_event(std::string_view{event_}.substr(0, event_.size() / 2), s.bytes);
      break;
    case breakage::no_finish:
      break;
    case breakage::garbage:
      frame_event("data: " + std::string{garbage} + "\r\n\r\n", s.bytes);
      break;
    case breakage::error: {
      fault_facts about;
      about.key = facts_.key;
      about.model = facts_.model;
      frame_event(answer_.events->error_event(make_fault(rule_.broken_error, about)), s.bytes);
      break;
    }
    }
    broke_ = true;
  }

  void break_here(step& s) {
    broke_ = true;
    if (rule_.broken == breakage::reset)
      s.wait += before_a_reset;
    s.then = act_for(rule_.broken);
  }

  static act act_for(breakage b) {
    return b == breakage::reset ? act::reset : b == breakage::hang ? act::hang : act::close;
  }

  void tail(step& s) {
    if (!facts_.head_only) {
      if (answer_.events && rule_.gzip)
        frame(gzip().add({}, true), s.bytes);
      if (framed_ == framing::chunked)
        s.bytes += "0\r\n\r\n";
    }
    s.then = closes_ ? act::close : act::keep;
  }

  void frame_event(std::string_view event, std::string& out) {
    if (!rule_.gzip)
      return frame(event, out);
    frame(gzip().add(event, false), out);
  }

  gzipper& gzip() { return gzip_ ? *gzip_ : gzip_.emplace(); }

  void frame(std::string_view bytes, std::string& out) const {
    if (bytes.empty())
      return;
    if (framed_ != framing::chunked) {
      out += bytes;
      return;
    }
    char size[20];
    const int n = std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
    out.append(size, static_cast<std::size_t>(n));
    out += bytes;
    out += "\r\n";
  }

  /// Lets the bytes out a few at a time.
  void drip(step& s) {
    while (held_at_ == held_.bytes.size() && !held_whole_) {
      held_ = {};
      held_at_ = 0;
      produce(held_);
      s.wait += held_.wait;
      held_whole_ = held_.bytes.empty() && held_.then != act::send;
    }
    const auto n = std::min<std::size_t>(rule_.drip_bytes, held_.bytes.size() - held_at_);
    if (held_at_ > 0)
      s.wait = rule_.drip_every;
    s.bytes = held_.bytes.substr(held_at_, n);
    s.flush = true;
    held_at_ += n;
    if (held_at_ == held_.bytes.size())
      s.then = held_.then;
  }

  answer answer_;
  play_facts facts_;
  const rule& rule_;
  farewell bye_;
  framing framed_ = framing::length;
  bool closes_ = false;
  bool says_close_ = false;
  stage stage_ = stage::start;
  bool head_sent_ = false;
  bool half_sent_ = false;
  bool broke_ = false;
  std::uint64_t sent_ = 0;
  std::string event_;
  std::optional<gzipper> gzip_;
  step held_;
  std::size_t held_at_ = 0;
  bool held_whole_ = false;
};

} // namespace

void write_head(const answer& a, const head_facts& h, std::string& out) {
  const auto from = out.size();
  out += "HTTP/1.1 ";
  out += std::to_string(a.status);
  out += ' ';
  out += reason(a.status);
  out += "\r\nContent-Type: ";
  out += a.content_type;
  out += "\r\nServer: troupe-sandbox";
  for (const auto& [name, value] : a.headers)
    out += "\r\n" + name + ": " + value;
  if (h.gzip)
    out += "\r\nContent-Encoding: gzip";
  if (h.framed == framing::chunked)
    out += "\r\nTransfer-Encoding: chunked";
  else if (h.framed == framing::length)
    out += "\r\nContent-Length: " + std::to_string(h.length);
  if (h.says_close)
    out += "\r\nConnection: close";
  while (out.size() - from < h.fill_to)
    out += "\r\nX-Filler: "
           + std::string(std::min<std::size_t>(1000, h.fill_to - (out.size() - from)), 'f');
  out += "\r\n\r\n";
}

std::unique_ptr<performance> play(answer a, play_facts facts, farewell bye) {
  return std::make_unique<player>(std::move(a), std::move(facts), std::move(bye));
}

} // namespace sandbox
