#include "client.hpp"

#include "sandbox/faults.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

namespace sandbox::test {
namespace {

std::string unzip(const std::string& packed) {
  z_stream z{};
  ::inflateInit2(&z, 15 + 16);
  std::string out(1 << 20, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  z.avail_in = static_cast<uInt>(packed.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(::inflate(&z, Z_FINISH), Z_STREAM_END);
  out.resize(out.size() - z.avail_out);
  ::inflateEnd(&z);
  return out;
}

/// A client that has sent one request.
struct asking : client {
  asking(host& h, std::string_view path, std::string_view key = "k1") : client(h.port()) {
    send(request_text("POST", path, hello, key));
  }
};

TEST(script, every_error_of_the_catalogue_has_its_status_and_google_form) {
  const std::map<std::string, int> expected = {
      {"key_invalid", 400},
      {"key_expired", 400},
      {"key_missing", 403},
      {"suspended", 403},
      {"leaked", 403},
      {"service_disabled", 403},
      {"service_blocked", 403},
      {"referrer_blocked", 403},
      {"ip_blocked", 403},
      {"model_denied", 403},
      {"resource_forbidden", 403},
      {"unauthorized", 401},
      {"location", 400},
      {"bad_argument", 400},
      {"not_found", 404},
      {"too_large", 413},
      {"quota_minute", 429},
      {"quota_day", 429},
      {"quota_both", 429},
      {"quota_tokens", 429},
      {"quota_tokens_day", 429},
      {"quota_zero", 429},
      {"quota_bare", 429},
      {"quota_wait_only", 429},
      {"quota_text_only", 429},
      {"internal", 500},
      {"bad_gateway", 502},
      {"overloaded", 503},
      {"unavailable", 503},
      {"deadline", 504},
      {"html_404", 404},
      {"html_200", 200},
  };
  host h;
  EXPECT_EQ(fault_names().size(), expected.size());
  for (const auto& [name, status] : expected) {
    h.script(R"({"key":"*","rules":[{"error":")" + name + R"("}]})");
    auto r = h.post(generate, hello);
    EXPECT_EQ(r.status, status) << name;
    if (r.headers["content-type"].starts_with("text/html")) {
      EXPECT_TRUE(r.body.starts_with("<!DOCTYPE html>")) << name;
    } else {
      EXPECT_EQ(r.parsed()["error"]["code"], status) << name;
      EXPECT_TRUE(r.parsed()["error"]["status"].is_string()) << name;
    }
  }
}

TEST(script, a_suspended_key_is_quoted_in_the_message) {
  host h;
  h.script(R"({"key":"AIzaSecret","rules":[{"error":"suspended"}]})");
  const auto r = h.post(generate, hello, "AIzaSecret");
  EXPECT_NE(r.body.find("Consumer 'api_key:AIzaSecret' has been suspended"), std::string::npos);
  EXPECT_EQ(r.parsed()["error"]["details"][0]["reason"], "CONSUMER_SUSPENDED");
}

TEST(script, a_minute_quota_names_metric_id_model_value_and_wait) {
  host h;
  h.script(R"({"key":"*","rules":[{"error":"quota_minute","retry_s":12.5}]})");
  const auto e = h.post(generate, hello).parsed()["error"];
  const auto& v = e["details"][0]["violations"][0];
  EXPECT_EQ(e["details"][0]["@type"], "type.googleapis.com/google.rpc.QuotaFailure");
  EXPECT_EQ(v["quotaId"], "GenerateRequestsPerMinutePerProjectPerModel-FreeTier");
  EXPECT_EQ(v["quotaDimensions"]["model"], "gemini-2.5-flash");
  EXPECT_EQ(e["details"][2]["@type"], "type.googleapis.com/google.rpc.RetryInfo");
  EXPECT_EQ(e["details"][2]["retryDelay"], "12.500s");
  EXPECT_NE(e["message"].get<std::string>().find("Please retry in 12.500s."), std::string::npos);
}

TEST(script, an_error_can_be_wrapped_in_an_array) {
  host h;
  h.script(R"({"key":"*","rules":[{"error":"overloaded","in_array":true}]})");
  EXPECT_EQ(h.post(generate, hello).parsed()[0]["error"]["code"], 503);
}

TEST(script, an_answer_can_be_given_word_for_word) {
  host h;
  h.script(R"({"key":"*","rules":[{"error":{"status":418,"body":{"tea":true},)"
           R"("headers":{"retry-after":"7"}}}]})");
  auto r = h.post(generate, hello);
  EXPECT_EQ(r.status, 418);
  EXPECT_EQ(r.headers["retry-after"], "7");
  EXPECT_EQ(r.body, R"({"tea":true})");
}

TEST(script, a_rule_catches_the_first_requests_after_those_it_skips) {
  host h;
  h.script(R"({"key":"*","rules":[{"when":{"skip":1,"first":2},"error":"internal"}]})");
  std::vector<int> statuses;
  for (int i = 0; i < 5; ++i)
    statuses.push_back(h.post(generate, hello).status);
  EXPECT_EQ(statuses, (std::vector<int>{200, 500, 500, 200, 200}));
}

TEST(script, a_rule_can_hold_for_one_model_or_one_method) {
  host h;
  h.script(R"({"key":"*","rules":[{"when":{"model":"gemini-2.5-pro"},"error":"internal"},)"
           R"({"when":{"method":"stream"},"error":"overloaded"}]})");
  EXPECT_EQ(h.post(generate, hello).status, 200);
  EXPECT_EQ(h.post(stream, hello).status, 503);
  EXPECT_EQ(h.post("/v1beta/models/gemini-2.5-pro:generateContent", hello).status, 500);
}

TEST(script, chance_follows_the_seed) {
  const auto run = [](const char* seed) {
    host h;
    settings s;
    s.seed = std::stoull(seed);
    h.inside().set_options(s);
    h.script(R"({"key":"*","rules":[{"when":{"probability":0.3},"error":"internal"}]})");
    std::string outcome;
    client c{h.port()};
    for (int i = 0; i < 100; ++i) {
      c.send(request_text("POST", generate, hello, "k"));
      outcome += c.read_response().status == 500 ? 'x' : '.';
    }
    return outcome;
  };
  const auto once = run("7");
  EXPECT_EQ(once, run("7"));
  EXPECT_NE(once, run("8"));
  const auto hits = std::count(once.begin(), once.end(), 'x');
  EXPECT_GT(hits, 10);
  EXPECT_LT(hits, 60);
}

TEST(script, a_keys_own_script_comes_before_that_of_all) {
  host h;
  h.script(R"([{"key":"*","rules":[{"error":"internal"}]},)"
           R"({"key":"good","rules":[{"text":"mine"}]}])");
  EXPECT_EQ(h.post(generate, hello, "good").status, 200);
  EXPECT_EQ(h.post(generate, hello, "other").status, 500);
}

TEST(script, an_unknown_word_is_refused_and_nothing_is_changed) {
  host h;
  for (const auto* bad :
       {R"({"key":"*","rulez":[]})", R"({"rules":[]})", R"({"key":"*","rules":[{"eror":"x"}]})",
        R"({"key":"*","rules":[{"error":"no_such"}]})",
        R"({"key":"*","rules":[{"break":"often"}]})",
        R"({"key":"*","rules":[{"when":{"probability":2}}]})",
        R"({"key":"*","limits":[{"rpm":1,"rpd":1}]})", R"({"key":"*","limits":[{"requests":1}]})",
        R"([{"key":"*","rules":[{"error":"internal"}]},{"key":""}])", "nonsense"}) {
    EXPECT_EQ(h.post("/_sandbox/scripts", bad).status, 400) << bad;
    EXPECT_EQ(h.post(generate, hello).status, 200) << bad;
  }
}

TEST(breakage, a_reset_before_the_head_sends_nothing) {
  host h;
  h.script(R"({"key":"*","rules":[{"break":"reset","at":"before_head"}]})");
  asking c{h, stream};
  c.read_to_end();
  EXPECT_TRUE(c.reset);
  EXPECT_EQ(c.input, "");
  EXPECT_EQ(h.counters()[0]["scripted"]["reset"], 1);
  EXPECT_EQ(h.counters()[0]["broken"], 1);
}

TEST(breakage, a_reset_in_the_body_comes_after_the_first_events) {
  host h;
  h.script(R"({"key":"*","rules":[{"break":"reset","after_events":2}]})");
  asking c{h, stream};
  c.read_to_end();
  EXPECT_TRUE(c.reset);
  EXPECT_EQ(events_of(c.input).size(), 2U);
}

TEST(breakage, a_fin_leaves_the_chunked_body_incomplete) {
  host h;
  h.script(R"({"key":"*","rules":[{"break":"fin","after_events":2}]})");
  asking c{h, stream};
  const auto r = c.read_response();
  EXPECT_EQ(events_of(r.body).size(), 2U);
  EXPECT_FALSE(r.complete);
  EXPECT_TRUE(c.ended);
}

TEST(breakage, a_fin_in_a_whole_answer_cuts_it_short_of_its_length) {
  host h;
  h.script(R"({"key":"*","rules":[{"break":"fin"}]})");
  asking c{h, generate};
  auto r = c.read_response();
  EXPECT_FALSE(r.complete);
  EXPECT_EQ(r.body.size(), std::stoul(r.headers["content-length"]) / 2);
}

TEST(breakage, a_stream_without_finish_ends_properly) {
  host h;
  h.script(R"({"key":"*","rules":[{"break":"no_finish","after_events":2}]})");
  const auto r = h.post(stream, hello);
  EXPECT_TRUE(r.complete);
  EXPECT_EQ(events_of(r.body).size(), 2U);
  EXPECT_EQ(r.body.find("finishReason"), std::string::npos);
}

TEST(breakage, half_an_event_ends_in_the_middle_of_its_json) {
  host h;
  h.script(R"({"key":"*","rules":[{"break":"half_event","after_events":1}]})");
  const auto r = h.post(stream, hello);
  EXPECT_TRUE(r.complete);
  const auto events = events_of(r.body);
  ASSERT_EQ(events.size(), 2U);
  EXPECT_TRUE(events[1].is_discarded());
}

TEST(breakage, an_error_event_comes_in_mid_stream) {
  host h;
  h.script(R"({"key":"*","rules":[{"break":"error","break_error":"internal"}]})");
  const auto events = events_of(h.post(stream, hello).body);
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(events[1]["error"]["code"], 500);
}

TEST(breakage, a_garbage_event_is_no_json_and_a_garbage_body_neither) {
  host h;
  h.script(R"({"key":"*","rules":[{"break":"garbage"}]})");
  EXPECT_TRUE(events_of(h.post(stream, hello).body).at(1).is_discarded());
  const auto r = h.post(generate, hello);
  EXPECT_EQ(r.status, 200);
  EXPECT_TRUE(r.parsed().is_discarded());
}

TEST(breakage, bytes_that_are_no_http_come_instead_of_an_answer) {
  host h;
  h.script(R"({"key":"*","rules":[{"break":"not_http"}]})");
  asking c{h, generate};
  c.read_to_end();
  EXPECT_FALSE(c.input.empty());
  EXPECT_FALSE(c.input.starts_with("HTTP/"));
}

/// Until the sandbox has noticed: asks it over another connection, which its one
/// loop serves after what came before.
bool notices_that_the_client_left(host& h) {
  for (int i = 0; i < 10'000; ++i)
    if (h.counters()[0]["client_left"] == 1)
      return true;
    else
      h.get("/_sandbox/health");
  return false;
}

TEST(breakage, a_hanging_answer_is_over_when_the_client_leaves) {
  host h;
  for (const auto* where : {"before_head", "after_head", "body"}) {
    h.inside().reset({.counters = true});
    h.script(std::string{R"({"key":"*","rules":[{"break":"hang","at":")"} + where + R"("}]})");
    {
      asking c{h, stream};
      if (std::string{where} != "before_head")
        c.read_until(20);
      else
        h.get("/_sandbox/health");
    }
    EXPECT_TRUE(notices_that_the_client_left(h)) << where;
    EXPECT_EQ(h.counters()[0]["in_flight"], 0) << where;
  }
}

TEST(breakage, a_client_that_leaves_a_running_stream_is_counted) {
  host h;
  h.script(R"({"key":"*","rules":[{"events":1000,"event_delay_ms":50}]})");
  {
    asking c{h, stream};
    c.read_until(200);
  }
  EXPECT_TRUE(notices_that_the_client_left(h));
}

TEST(shape, a_head_can_be_larger_than_anyone_wants) {
  host h;
  h.script(R"({"key":"*","rules":[{"head_bytes":100000}]})");
  asking c{h, generate};
  c.read_until(100'000);
  EXPECT_GE(c.input.find("\r\n\r\n"), 100'000U);
  EXPECT_EQ(c.read_response().status, 200);
}

TEST(shape, an_answer_can_be_gzip_although_nobody_asked) {
  host h;
  h.script(R"({"key":"zip","rules":[{"gzip":true}]})");
  for (const auto path : {generate, stream}) {
    auto r = h.post(path, hello, "zip");
    EXPECT_EQ(r.headers["content-encoding"], "gzip");
    auto plain = h.post(path, hello, "plain").body;
    auto unpacked = unzip(r.body);
    // The number in `responseId` differs, and so its length may.
    EXPECT_EQ(unpacked.substr(0, 60), plain.substr(0, 60));
    EXPECT_EQ(unpacked.substr(unpacked.size() - 4), plain.substr(plain.size() - 4));
  }
}

TEST(shape, an_answer_can_drip_byte_by_byte) {
  host h;
  h.script(R"({"key":"*","rules":[{"drip_bytes":7,"drip_ms":0}]})");
  EXPECT_EQ(h.post(generate, hello).parsed()["candidates"].size(), 1);
  EXPECT_GE(events_of(h.post(stream, hello).body).size(), 2U);
}

TEST(shape, a_body_can_be_framed_in_each_way) {
  host h;
  for (const auto* way : {"chunked", "length", "close"}) {
    h.script(std::string{R"({"key":"*","rules":[{"framing":")"} + way + R"("}]})");
    const auto r = h.post(generate, hello);
    EXPECT_TRUE(r.complete) << way;
    EXPECT_EQ(r.parsed()["candidates"].size(), 1) << way;
    EXPECT_EQ(r.headers.contains("transfer-encoding"), std::string{way} == "chunked");
    EXPECT_EQ(r.headers.contains("content-length"), std::string{way} == "length");
  }
}

TEST(shape, a_connection_can_be_closed_after_some_requests_with_or_without_a_word) {
  host h;
  for (const bool silently : {false, true}) {
    h.script(std::string{R"({"key":"*","rules":[{"close_after":2,"close_silently":)"}
             + (silently ? "true" : "false") + "}]}");
    client c{h.port()};
    c.send(request_text("POST", generate, hello, "k"));
    EXPECT_FALSE(c.read_response().headers.contains("connection"));
    c.send(request_text("POST", generate, hello, "k"));
    EXPECT_EQ(c.read_response().headers.contains("connection"), !silently);
    c.read_to_end();
    EXPECT_TRUE(c.ended);
  }
}

TEST(shape, events_have_the_number_and_size_that_the_script_says) {
  host h;
  h.script(R"({"key":"*","rules":[{"events":50,"event_bytes":1000}]})");
  const auto events = events_of(h.post(stream, hello).body);
  ASSERT_EQ(events.size(), 50U);
  for (const auto& e : events)
    EXPECT_EQ(e["candidates"][0]["content"]["parts"][0]["text"].get<std::string>().size(), 1000U);
  EXPECT_EQ(events.back()["candidates"][0]["finishReason"], "STOP");
}

TEST(shape, a_stream_keeps_its_pace_without_drifting) {
  host h;
  h.script(R"({"key":"*","rules":[{"events":21,"events_per_second":200}]})");
  const auto begin = now();
  EXPECT_EQ(events_of(h.post(stream, hello).body).size(), 21U);
  const auto took = now() - begin;
  // Never faster than the pace; how much slower is the machine's business.
  EXPECT_GE(took, std::chrono::milliseconds{100});
}

TEST(shape, tokens_per_second_set_the_pace_too) {
  host h;
  h.script(R"({"key":"*","rules":[{"events":11,"event_bytes":40,"tokens_per_second":1000}]})");
  const auto begin = now();
  EXPECT_EQ(events_of(h.post(stream, hello).body).size(), 11U);
  EXPECT_GE(now() - begin, std::chrono::milliseconds{100});
}

TEST(shape, finish_and_block_reasons_can_be_chosen) {
  host h;
  h.script(R"({"key":"*","rules":[{"finish_reason":"SAFETY"}]})");
  EXPECT_EQ(h.post(generate, hello).parsed()["candidates"][0]["finishReason"], "SAFETY");
  h.script(R"({"key":"*","rules":[{"block_reason":"OTHER"}]})");
  const auto r = h.post(generate, hello).parsed();
  EXPECT_EQ(r["promptFeedback"]["blockReason"], "OTHER");
  EXPECT_FALSE(r.contains("candidates"));
}

TEST(shape, fixed_answers_do_not_look_at_the_body) {
  host h;
  h.script(R"({"key":"*","rules":[{"fixed":true,"events":3}]})");
  EXPECT_EQ(h.post(generate, "not json").status, 200);
  EXPECT_NE(h.post(generate, "not json").body.find("troupe sandbox"), std::string::npos);
  EXPECT_EQ(events_of(h.post(stream, "not json").body).size(), 3U);
  EXPECT_EQ(h.counters()[0]["arrivals"], 3);
  EXPECT_EQ(h.counters()[0]["in_flight"], 0);
}

} // namespace
} // namespace sandbox::test
